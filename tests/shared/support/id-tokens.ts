/** Valid and invalid ID tokens, signed by keys of the test. */

import { exportJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { JwksStore, ServerMetadata } from '../../../shared/core/index.ts'
import { createJwksStore } from '../../../shared/core/index.ts'
import type { IdTokenExpectation } from '../../../shared/oauth/id-token.ts'
import { validateIdToken } from '../../../shared/oauth/id-token.ts'
import { closedNetwork, json, START } from './closed-network.ts'
import { CLIENT_ID, ISSUER, JWKS_URI, METADATA } from './fixtures.ts'

export const NOW = START / 1000
export const ACCESS_TOKEN = 'opaque-access-token'
export const NONCE = 'the-nonce'

export const CLAIMS: JWTPayload = {
  iss: ISSUER,
  sub: 'subscriber-1',
  aud: CLIENT_ID,
  exp: NOW + 300,
  iat: NOW,
  nonce: NONCE,
}

export type Algorithm = keyof typeof ALGORITHMS

const rsa = (name: string, bits: number) => ({
  name,
  hash: `SHA-${bits}`,
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
})

const ALGORITHMS = {
  RS256: rsa('RSASSA-PKCS1-v1_5', 256),
  RS512: rsa('RSASSA-PKCS1-v1_5', 512),
  PS256: rsa('RSA-PSS', 256),
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
}

export interface TestKey {
  alg: string
  privateKey: CryptoKey
  publicKey: CryptoKey
  jwk: JWK
}

export async function createTestKey(alg: Algorithm = 'ES256', kid = 'k1'): Promise<TestKey> {
  const pair = (await crypto.subtle.generateKey(ALGORITHMS[alg], true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, use: 'sig' }
  return { alg, privateKey: pair.privateKey, publicKey: pair.publicKey, jwk }
}

/** Signs the claims with changes. `undefined` removes a claim. */
export function sign(
  key: TestKey,
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = { kid: key.jwk.kid },
): Promise<string> {
  const claims = JSON.parse(JSON.stringify({ ...CLAIMS, ...changes })) as JWTPayload
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, ...header }).sign(key.privateKey)
}

/** Makes a JWS with exactly this header. It is signed if a key is given. */
export async function signRaw(
  header: string,
  claims: Record<string, unknown>,
  key?: TestKey,
): Promise<string> {
  const encode = (text: string) => encodeBytes(new TextEncoder().encode(text))
  const input = `${encode(header)}.${encode(JSON.stringify({ ...CLAIMS, ...claims }))}`
  if (key === undefined) return `${input}.`
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    key.privateKey,
    new TextEncoder().encode(input),
  )
  return `${input}.${encodeBytes(new Uint8Array(signature))}`
}

export function encodeBytes(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

export interface CheckOptions {
  metadata?: Partial<ServerMetadata>
  keys?: unknown[]
  jwks?: JwksStore
  expected?: Partial<IdTokenExpectation>
  /** How many requests for the key set are announced. */
  fetches?: number
}

/** Validates an ID token of a server with these keys. */
export async function check(idToken: string, options: CheckOptions = {}) {
  const network = closedNetwork({ jwks: options.jwks ?? createJwksStore() })
  const keys = options.keys ?? []
  for (let index = 0; index < (options.fetches ?? 1); index++)
    network.on(JWKS_URI, () => json({ keys }))
  return validateIdToken(
    idToken,
    {
      metadata: {
        ...METADATA,
        id_token_signing_alg_values_supported: ['ES256'],
        ...options.metadata,
      },
      clientId: CLIENT_ID,
      accessToken: ACCESS_TOKEN,
      nonce: NONCE,
      ...options.expected,
    },
    network,
  )
}
