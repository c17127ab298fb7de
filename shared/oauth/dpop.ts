/**
 * DPoP (RFC 9449): key pairs, nonces and proofs. oauth4webapi signs the proofs. This file stores nonces
 * beyond one request and for one origin each, and ignores a nonce that does not have the form of section 8.1.
 */

import {
  allowInsecureRequests,
  customFetch,
  DPoP,
  type DPoPHandle,
  modifyAssertion,
  protectedResourceRequest,
} from 'oauth4webapi'
import { parseChallenges } from './challenge.ts'
import { type Effects, protocolClient } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { decodeUtf8, isJsonObject, parseJson } from './json-response.ts'
import { isDpopNonce } from './opaque-values.ts'
import type { ServerResponse } from './server-response.ts'

/** Latest nonce of each server, by origin. @see RFC 9449 sections 8.2 and 9 */
export type NonceStore = Pick<Map<string, string>, 'get' | 'set'>

/** Key pair with the nonces that servers supplied. Each grant has its own, so that thumbprints do not correlate. */
export interface DpopKey {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly nonces: NonceStore
}

/** Creates an ES256 key pair. Its private key is extractable only for a caller that has to wrap it. */
export async function createDpopKey(options: { extractable?: boolean } = {}): Promise<DpopKey> {
  const pair = await crypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    options.extractable === true,
    ['sign', 'verify'],
  )
  return { privateKey: pair.privateKey, publicKey: pair.publicKey, nonces: new Map() }
}

/** The JWK SHA-256 thumbprint that binds a code or a token to the key. @see RFC 7638, RFC 9449 section 10 */
export function dpopThumbprint(key: DpopKey): Promise<string> {
  return DPoP({}, { ...key }).calculateThumbprint()
}

/** Throws `key_mismatch` for a key other than the one that a flow or a token is bound to. @see RFC 9449 section 5 */
export async function requireDpopKey(
  expectedThumbprint: string | undefined,
  key: DpopKey | undefined,
): Promise<void> {
  const actual = key === undefined ? undefined : await dpopThumbprint(key)
  if (actual === expectedThumbprint) return
  throw new NorthkeyError('key_mismatch', 'the DPoP key must be the one that the grant is bound to')
}

/** Makes the library's handle for one request. Its proof contains the latest nonce of the server at `url`. */
export function dpopHandle(
  key: DpopKey,
  url: URL,
  effects: Effects,
  claims: Readonly<Record<string, string>> = {},
): DPoPHandle {
  return DPoP(
    protocolClient('proof', effects),
    { ...key },
    {
      [modifyAssertion]: (_header, payload) => {
        const nonce = key.nonces.get(url.origin)
        if (nonce !== undefined) payload.nonce = nonce
        Object.assign(payload, claims)
      },
    },
  )
}

/** Stores the nonce that a server supplied, if it is well-formed. @see RFC 9449 section 8.1 */
export function storeNonce(
  key: DpopKey,
  url: URL,
  response: Pick<ServerResponse, 'headers'>,
): void {
  const nonce = response.headers.get('dpop-nonce')
  if (isDpopNonce(nonce)) key.nonces.set(url.origin, nonce)
}

/** A response of a server, or of a resource, whose body only its caller reads. */
type NonceResponse = Pick<ServerResponse, 'status' | 'headers'> &
  Partial<Pick<ServerResponse, 'octets'>>

/** Whether a server requires a nonce: by a JSON error (section 8) or by a challenge (section 9). */
export async function isNonceRequired(response: NonceResponse): Promise<boolean> {
  const { status, headers, octets } = response
  if (!headers.has('dpop-nonce')) return false
  if (status === 401) {
    const challenges = await parseChallenges(headers.get('www-authenticate'))
    return challenges.some(
      ({ scheme, parameters }) => scheme === 'dpop' && parameters.error === 'use_dpop_nonce',
    )
  }
  if (status !== 400 || octets === undefined) return false
  const body = parseJson(decodeUtf8(octets) ?? '')
  return isJsonObject(body) && body.error === 'use_dpop_nonce'
}

/**
 * Sends a request, and retries it once with a new proof if the server requires a nonce.
 * @see RFC 9449 sections 7.3, 8 and 9
 */
export function withNonceRetry<T extends NonceResponse>(
  key: DpopKey | undefined,
  url: URL,
  send: () => Promise<T>,
): Promise<T> {
  return key === undefined ? send() : sendWithNonce(key, url, send)
}

async function sendWithNonce<T extends NonceResponse>(
  key: DpopKey,
  url: URL,
  send: () => Promise<T>,
): Promise<T> {
  const response = await send()
  const before = key.nonces.get(url.origin)
  storeNonce(key, url, response)
  if (key.nonces.get(url.origin) === before || !(await isNonceRequired(response))) return response
  const retried = await send()
  storeNonce(key, url, retried)
  return retried
}

export interface ProofRequest {
  key: DpopKey
  method: string
  url: string
  accessToken: string
  /** Additional claims, for instance those of CAMARA. */
  claims?: Readonly<Record<string, string>>
}

/** Makes the proof for one request to a resource. @see RFC 9449 sections 4.2 and 7 */
export async function createDpopProof(request: ProofRequest, effects: Effects): Promise<string> {
  const url = new URL(request.url)
  let proof: string | undefined
  // The library signs only while it sends a request; this `customFetch` reads the proof and sends nothing.
  await protectedResourceRequest(request.accessToken, request.method, url, undefined, null, {
    DPoP: dpopHandle(request.key, url, effects, request.claims),
    [allowInsecureRequests]: effects.allowInsecureLoopback === true,
    [customFetch]: async (_url, { headers }) => {
      proof = headers.dpop
      return new Response()
    },
  })
  if (proof === undefined) throw new NorthkeyError('internal_error', 'no proof was made')
  return proof
}
