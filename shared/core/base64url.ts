/** Base64url, where the core looks for it. */
export { base64url } from '../oauth/base64url.ts'
