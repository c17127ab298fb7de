/** The most bytes that a body may have, each way, as the contract with pages says (`docs/page-api.md`). */
export const MAX_BODY_BYTES = 5 * 1024 * 1024
