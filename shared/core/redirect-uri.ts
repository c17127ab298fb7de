/**
 * Redirect URI of the broker for one issuer. A path for each issuer is the mix-up defence of RFC 8252
 * section 8.10 and RFC 9700 section 4.4.2: a response that arrives on the path of another issuer is rejected.
 */

import { base64url } from './base64url.ts'

/**
 * @param base Return value of `identity.getRedirectURL()`: the broker's own host with a trailing slash.
 * @param issuer Issuer identifier, as the operator profile spells it.
 * @returns The exact redirect URI to register and to send.
 * @see RFC 6749 section 3.1.2
 */
export async function redirectUriFor(base: string, issuer: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(issuer))
  return new URL(base64url(new Uint8Array(digest).subarray(0, 16)), base).href
}
