/**
 * Proof Key for Code Exchange: the pair. S256 is the only method; there is no way to ask for `plain`.
 * @see RFC 7636 sections 4.1, 4.2 and 7.1
 */

import { asciiString, base64url, base64urlCodes } from '../oauth/base64url.ts'

declare const kind: unique symbol

/** The secret half: goes to the token endpoint and nowhere else. */
export type CodeVerifier = string & { readonly [kind]: 'code_verifier' }
/** The public half: goes through the browser. */
export type CodeChallenge = string & { readonly [kind]: 'code_challenge' }

export interface PkcePair {
  readonly codeVerifier: CodeVerifier
  readonly codeChallenge: CodeChallenge
}

/** A fresh pair of 256 random bits. @see RFC 7636 section 4.1 */
export async function createPkcePair(): Promise<PkcePair> {
  const codes = randomCodes()
  // The string is made while the digest is under way.
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

/** An unguessable value of 256 bits, for `state` and `nonce`. @see RFC 6749 section 10.10 */
export function randomValue(): string {
  return asciiString(randomCodes())
}

function randomCodes(): Uint8Array<ArrayBuffer> {
  return base64urlCodes(crypto.getRandomValues(new Uint8Array(32)))
}
