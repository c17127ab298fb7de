/**
 * Maximum size of a request body and of a response body, in bytes, by the page contract
 * (`docs/page-api.md`).
 */
export const MAX_BODY_BYTES = 5 * 1024 * 1024
