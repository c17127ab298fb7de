/**
 * Key sets of servers: fetched within all limits, filtered to keys that verify a signature, and cached. For an
 * unknown key the set is fetched again at most once a minute (a cooldown of oauth4webapi).
 *
 * Border: a key set is fetched from `jwks_uri` of the metadata only. The header members `jku`, `x5u` and `jwk`
 * of a JWT are ignored. @see RFC 8725 section 3.10
 */

import {
  allowInsecureRequests,
  customFetch,
  type ExportedJWKSCache,
  type JWK,
  type JWKS,
  jwksCache,
  validateApplicationLevelSignature,
} from 'oauth4webapi'
import { type Effects, skewSeconds } from './effects.ts'
import { errorFromResponse } from './error-response.ts'
import { sendRequest } from './http.ts'
import { isJsonObject, readJsonObject } from './json-response.ts'
import { createJwksStore, type JwksStore } from './jwks-store.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'

const defaultStore = createJwksStore()
const SERVERS_LIMIT = 32
const KEYS_LIMIT = 64

/**
 * Verifies the signature of the JWT that oauth4webapi found in a response.
 * @param response The same object that the library processed.
 * @see OIDC Core section 10.1.1 (rotation), RFC 7515 section 5.2
 */
export async function verifyResponseSignature(
  metadata: ServerMetadata,
  response: Response,
  effects: Effects,
): Promise<void> {
  const store = effects.jwks ?? defaultStore
  const uri = requireEndpoint(metadata, 'jwks_uri', effects).href
  const skew = skewSeconds(effects)
  const known = store.sets.get(uri)
  // The stored time is on the injected clock; the library compares with the system clock.
  const cache: Partial<ExportedJWKSCache> = known ? { jwks: known.jwks, uat: known.uat - skew } : {}
  // A copy, because the library also caches key sets by metadata object, regardless of the injected clock.
  await validateApplicationLevelSignature({ ...metadata }, response, {
    [jwksCache]: cache as ExportedJWKSCache,
    [customFetch]: async (url) =>
      new Response(JSON.stringify(await newerKeySet(url, known, store, effects)), {
        headers: { 'content-type': 'application/json' },
      }),
    [allowInsecureRequests]: effects.allowInsecureLoopback === true,
  })
}

function storeKeySet(store: JwksStore, uri: string, entry: ExportedJWKSCache): void {
  store.sets.delete(uri)
  store.sets.set(uri, entry)
  for (const oldest of store.sets.keys()) {
    if (store.sets.size <= SERVERS_LIMIT) break
    store.sets.delete(oldest)
  }
}

/** Returns a newer key set than the known one: one that another call has fetched, or the server's. */
async function newerKeySet(
  url: string,
  known: ExportedJWKSCache | undefined,
  store: JwksStore,
  effects: Effects,
): Promise<JWKS> {
  const latest = store.sets.get(url)
  if (latest !== known && latest !== undefined) return latest.jwks
  const request = store.pending.get(url) ?? fetchKeySet(url, store, effects)
  store.pending.set(url, request)
  return request
}

async function fetchKeySet(url: string, store: JwksStore, effects: Effects): Promise<JWKS> {
  try {
    const jwks = await requestKeySet(url, effects)
    storeKeySet(store, url, { jwks, uat: Math.floor(effects.now() / 1000) })
    return jwks
  } finally {
    store.pending.delete(url)
  }
}

/** Drops the key set of a server, so that the next signature is checked with a new one. */
export function dropKeySet(uri: string, store: JwksStore = defaultStore): void {
  store.sets.delete(uri)
}

async function requestKeySet(url: string, effects: Effects): Promise<JWKS> {
  const endpoint = 'key set endpoint'
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const response = await sendRequest(url, { method: 'GET', headers }, endpoint, effects)
  if (response.status !== 200) throw errorFromResponse(response, endpoint, effects.now())
  const { keys } = readJsonObject(response, endpoint, [
    'application/json',
    'application/jwk-set+json',
  ])
  const usable = Array.isArray(keys) ? keys.filter(isVerificationKey).slice(0, KEYS_LIMIT) : []
  return { keys: usable }
}

/** Accepts public keys for signatures. A key with private members is not secret any more and is rejected. */
function isVerificationKey(key: unknown): key is JWK {
  if (!isJsonObject(key)) return false
  const asymmetric = key.kty === 'RSA' || key.kty === 'EC' || key.kty === 'OKP'
  return asymmetric && key.d === undefined && (key.use ?? 'sig') === 'sig'
}
