/**
 * Validates ID tokens. oauth4webapi checks claims and signature. This file adds the policy of the core: the
 * signature is always checked, the client is the only audience, the type is a plain JWT, `iat` is not in the
 * future, `at_hash` matches, and no header member occurs twice.
 * @see OpenID Connect Core sections 3.1.3.7 and 12.2, RFC 7515 section 5.2, RFC 8725 section 3
 */

import {
  getValidatedIdTokenClaims,
  type IDToken,
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
} from 'oauth4webapi'
import { base64url, fromBase64url } from './base64url.ts'
import { CLOCK_TOLERANCE_SECONDS, type Effects, protocolClient } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { isJsonObject, parseJson } from './json-response.ts'
import { verifyResponseSignature } from './jwks.ts'
import type { ServerMetadata } from './metadata.ts'

/** The claims that are stored: subject, audience, times, authentication, and the nonce of the request. */
export interface IdTokenClaims {
  iss: string
  sub: string
  aud: string
  iat: number
  exp: number
  auth_time?: number
  nonce?: string
  acr?: string
  amr?: string[]
}

export interface IdTokenExpectation {
  metadata: ServerMetadata
  clientId: string
  accessToken: string
  /** Of the authorization request. An ID token of a refresh is compared with that in `previous`. */
  nonce?: string | undefined
  maxAge?: number | undefined
  /** Claims of the grant's first ID token, for an ID token of a refresh. */
  previous?: IdTokenClaims | undefined
}

/** Asymmetric algorithms, whose verification key is public. @see RFC 8725 sections 3.1 and 3.2 */
const ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

const KEPT_CLAIMS = ['iss', 'sub', 'iat', 'exp', 'auth_time', 'nonce', 'acr', 'amr'] as const

/** Returns the claims of an ID token that passed every check, or throws `invalid_id_token`. */
export async function validateIdToken(
  idToken: string,
  expected: IdTokenExpectation,
  effects: Effects,
): Promise<IdTokenClaims> {
  checkHeader(idToken)
  const response = Response.json({
    access_token: expected.accessToken,
    token_type: 'Bearer',
    id_token: idToken,
  })
  const offered = expected.metadata.id_token_signing_alg_values_supported ?? ['RS256']
  const metadata = {
    ...expected.metadata,
    id_token_signing_alg_values_supported: offered.filter((alg) => ALGORITHMS.includes(alg)),
  }
  try {
    const claims = await readClaims(metadata, expected, response, effects)
    await checkClaims(claims, idToken, expected, effects)
    await verifyResponseSignature(metadata, response, effects)
    return {
      ...(Object.fromEntries(
        KEPT_CLAIMS.filter((name) => claims[name] !== undefined).map((name) => [
          name,
          claims[name],
        ]),
      ) as unknown as IdTokenClaims),
      aud: expected.clientId,
    }
  } catch (error) {
    if (error instanceof NorthkeyError) throw error
    throw invalidIdToken('must pass the checks of OpenID Connect Core section 3.1.3.7', error)
  }
}

async function readClaims(
  metadata: ServerMetadata,
  expected: IdTokenExpectation,
  response: Response,
  effects: Effects,
): Promise<IDToken> {
  const client = protocolClient(expected.clientId, effects)
  const { nonce, maxAge, previous } = expected
  const result =
    previous === undefined
      ? await processAuthorizationCodeResponse(metadata, client, response, {
          requireIdToken: true,
          ...(nonce !== undefined && { expectedNonce: nonce }),
          ...(maxAge !== undefined && { maxAge }),
        })
      : await processRefreshTokenResponse(metadata, client, response)
  return getValidatedIdTokenClaims(result) as IDToken
}

function checkHeader(idToken: string): void {
  const [encoded = '', , , ...rest] = idToken.split('.')
  const bytes = fromBase64url(encoded)
  const text = bytes === undefined ? '' : new TextDecoder().decode(bytes)
  const header = parseJson(text)
  if (!isJsonObject(header) || rest.length > 0)
    throw invalidIdToken('must be a JWS in compact form')
  if (hasDuplicateMembers(text, header)) throw invalidIdToken('must name each header member once')
  if (header.crit !== undefined || header.b64 !== undefined) {
    throw invalidIdToken('must need no header extension')
  }
  const { typ } = header
  const plain = typeof typ === 'string' && /^(application\/)?jwt$/i.test(typ)
  if (typ !== undefined && !plain) throw invalidIdToken('must be of type JWT')
}

/** Compares the members of the text with those of the parsed object, in which a repeated member occurs once. */
function hasDuplicateMembers(text: string, header: object): boolean {
  const compact = text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, '$1')
  const members = (json: string) => json.match(/"(?:[^"\\]|\\.)*":/g)?.length ?? 0
  return members(compact) !== members(JSON.stringify(header))
}

async function checkClaims(
  claims: IDToken,
  idToken: string,
  expected: IdTokenExpectation,
  effects: Effects,
): Promise<void> {
  const latest = effects.now() / 1000 + CLOCK_TOLERANCE_SECONDS
  if (claims.sub === '' || claims.sub.length > 255) throw invalidIdToken('must name a subject')
  if (claims.iat > latest)
    throw invalidIdToken('must not be issued in the future; the clocks of server and device differ')
  if (Array.isArray(claims.aud) && claims.aud.length !== 1)
    throw invalidIdToken('must have one audience')
  if (claims.azp !== undefined && claims.azp !== expected.clientId) {
    throw invalidIdToken('must be issued to this client')
  }
  if (claims.events !== undefined) throw invalidIdToken('must not be a security event')
  if (claims.at_hash !== undefined) {
    const hash = await accessTokenHash(expected.accessToken, idToken)
    if (claims.at_hash !== hash) throw invalidIdToken('must belong to the access token beside it')
  }
  const { previous } = expected
  if (previous === undefined) return
  if (claims.sub !== previous.sub || claims.iss !== previous.iss) {
    throw invalidIdToken('of a refresh must be about the same subject')
  }
  const { nonce = claims.nonce } = previous
  if (claims.nonce !== undefined && claims.nonce !== nonce) {
    throw invalidIdToken('of a refresh must not have another nonce')
  }
  if (
    claims.auth_time !== undefined &&
    previous.auth_time !== undefined &&
    claims.auth_time !== previous.auth_time
  ) {
    throw invalidIdToken('of a refresh must keep the time of authentication')
  }
}

/** Left half of the hash of the ID token's algorithm. @see OpenID Connect Core section 3.1.3.6 */
async function accessTokenHash(accessToken: string, idToken: string): Promise<string> {
  const header = fromBase64url(idToken.split('.', 1)[0] ?? '') ?? new Uint8Array()
  const { alg } = JSON.parse(new TextDecoder().decode(header)) as { alg: string }
  const bits = /(384|512)$/.exec(alg)?.[1] ?? (alg.startsWith('Ed') ? '512' : '256')
  const digest = await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(accessToken))
  return base64url(new Uint8Array(digest, 0, digest.byteLength / 2))
}

function invalidIdToken(expectation: string, cause?: unknown): NorthkeyError {
  return new NorthkeyError('invalid_id_token', `the ID token ${expectation}`, { cause })
}
