/** Re-exports base64url for the core. */
export { base64url } from '../oauth/base64url.ts'
