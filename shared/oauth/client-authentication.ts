/** Client authentication at the token endpoint: none (public client), or by a key made on this UE. */

import { type ClientAuth, modifyAssertion, None, PrivateKeyJwt } from 'oauth4webapi'
import { base64url } from './base64url.ts'
import { NorthkeyError } from './error.ts'
import type { ServerMetadata } from './metadata.ts'

/** Private key of one client instance. @see OpenID Connect Core section 9, RFC 7523 section 2.2 */
export interface ClientKey {
  readonly privateKey: CryptoKey
  /**
   * The `kid` with which the public key is published: {@link clientKeyId} for a key that the core registered. Absent
   * only for a key that is published without one.
   */
  readonly kid?: string
}

/** The public key of a client as it is published at the server. A type, so that it is assignable to JSON. */
export type PublicClientKey = {
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
  alg: 'ES256'
  use: 'sig'
  kid: string
}

/**
 * Makes the published form of a key. Its `kid` is the JWK SHA-256 thumbprint, so that whoever has the key finds the
 * same one. @throws NorthkeyError `invalid_params` for another key than a public P-256 key.
 * @see RFC 7638 section 3, OpenID Connect Core section 10.1
 */
export async function publicClientKey(publicKey: CryptoKey): Promise<PublicClientKey> {
  const { kty, crv, x = '', y = '', d } = await crypto.subtle.exportKey('jwk', publicKey)
  if (kty !== 'EC' || crv !== 'P-256' || d !== undefined) {
    throw new NorthkeyError('invalid_params', '"clientPublicKey" must be a public P-256 key')
  }
  // The required members in lexicographic order, without white space.
  const thumbprintInput = new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }))
  const digest = await crypto.subtle.digest('SHA-256', thumbprintInput)
  return { kty, crv, x, y, alg: 'ES256', use: 'sig', kid: base64url(new Uint8Array(digest)) }
}

/** The `kid` with which {@link publicClientKey} publishes a key, for the assertions of that key. */
export async function clientKeyId(publicKey: CryptoKey): Promise<string> {
  return (await publicClientKey(publicKey)).kid
}

export type ClientAuthenticationMethod = 'none' | 'private_key_jwt'

export interface ClientAuthenticationOptions {
  method: ClientAuthenticationMethod
  key?: ClientKey | undefined
  /**
   * The value of `aud`: the issuer (RFC 9700 practice), the token endpoint (RFC 7523 section 3), or the endpoint that
   * is called (CAMARA).
   */
  audience: 'issuer' | 'token_endpoint' | 'endpoint'
}

/** An assertion is used at once, so a short lifetime is enough; CAMARA allows 300 s. */
export const ASSERTION_LIFETIME_SECONDS = 60

/** Endpoints that authenticate the client. */
type AuthenticatedEndpoint =
  | 'token_endpoint'
  | 'revocation_endpoint'
  | 'pushed_authorization_request_endpoint'

/**
 * The audience of an assertion: as the server spells it, since it compares strings.
 * @see RFC 7523 section 3
 */
function audienceOf(
  audience: ClientAuthenticationOptions['audience'],
  metadata: ServerMetadata,
  endpoint: AuthenticatedEndpoint,
): string {
  if (audience === 'issuer') return metadata.issuer
  return metadata[audience === 'endpoint' ? endpoint : audience] ?? metadata.issuer
}

/**
 * Makes the client authentication of one request.
 * @param endpoint The endpoint that is about to be called.
 */
export function clientAuthentication(
  options: ClientAuthenticationOptions,
  metadata: ServerMetadata,
  endpoint: AuthenticatedEndpoint,
): ClientAuth {
  if (options.method === 'none') return None()
  if (options.key === undefined) {
    throw new NorthkeyError('key_mismatch', '"clientKey" must be there for private_key_jwt')
  }
  const { privateKey: key, kid } = options.key
  return PrivateKeyJwt(kid === undefined ? { key } : { key, kid }, {
    [modifyAssertion]: (_header, payload) => {
      payload.aud = audienceOf(options.audience, metadata, endpoint)
      payload.exp = Number(payload.iat) + ASSERTION_LIFETIME_SECONDS
    },
  })
}
