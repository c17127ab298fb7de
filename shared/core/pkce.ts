/**
 * Proof Key for Code Exchange: creates the pair. S256 is the only method; `plain` is not available.
 * @see RFC 7636 sections 4.1, 4.2 and 7.1
 */

import { asciiString, base64url, base64urlCodes } from '../oauth/base64url.ts'

declare const kind: unique symbol

/** The secret part. It is sent to the token endpoint only. */
export type CodeVerifier = string & { readonly [kind]: 'code_verifier' }
/** The public part. It is sent through the browser. */
export type CodeChallenge = string & { readonly [kind]: 'code_challenge' }

export interface PkcePair {
  readonly codeVerifier: CodeVerifier
  readonly codeChallenge: CodeChallenge
}

/** Creates a pair from 256 random bits. @see RFC 7636 section 4.1 */
export async function createPkcePair(): Promise<PkcePair> {
  const codes = randomCodes()
  // The string is made while the digest is computed.
  const digest = crypto.subtle.digest('SHA-256', codes)
  const codeVerifier = asciiString(codes) as CodeVerifier
  return { codeVerifier, codeChallenge: challengeOf(await digest) }
}

/** `BASE64URL(SHA256(ASCII(code_verifier)))`. @see RFC 7636 section 4.2 */
export async function codeChallengeOf(codeVerifier: CodeVerifier): Promise<CodeChallenge> {
  const ascii = new TextEncoder().encode(codeVerifier)
  return challengeOf(await crypto.subtle.digest('SHA-256', ascii))
}

function challengeOf(digest: ArrayBuffer): CodeChallenge {
  return base64url(new Uint8Array(digest)) as CodeChallenge
}

/** Creates an unguessable value of 256 bits, for `state` and `nonce`. @see RFC 6749 section 10.10 */
export function randomValue(): string {
  return asciiString(randomCodes())
}

function randomCodes(): Uint8Array<ArrayBuffer> {
  return base64urlCodes(crypto.getRandomValues(new Uint8Array(32)))
}
