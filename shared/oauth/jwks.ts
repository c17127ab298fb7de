/**
 * Key sets of servers: fetched within all limits, filtered to keys that verify a signature, and cached for five
 * minutes. A server may rotate its keys at any moment, also right after the set was fetched. So a token that no cached
 * key verifies causes one more request at once. After such a request the set has a cooldown of a minute: invalid
 * tokens, however many, cause one request in that time.
 *
 * Border: a key set is fetched from `jwks_uri` of the metadata only. The header members `jku`, `x5u` and `jwk`
 * of a JWT are ignored. @see RFC 8725 section 3.10
 */

import {
  allowInsecureRequests,
  type JWK,
  type JWKS,
  jwksCache,
  validateApplicationLevelSignature,
} from 'oauth4webapi'
import type { Effects } from './effects.ts'
import { errorFromResponse } from './error-response.ts'
import { sendRequest } from './http.ts'
import { dropNullMembers, isJsonObject, type JsonObject, readJsonObject } from './json-response.ts'
import { type CachedKeySet, createJwksStore, type JwksStore } from './jwks-store.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'

const defaultStore = createJwksStore()
const SERVERS_LIMIT = 32
const KEYS_LIMIT = 64
const FRESH_SECONDS = 300
const COOLDOWN_SECONDS = 60

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
  const cached = store.sets.get(uri)
  const isCached = cached !== undefined && isWithin(FRESH_SECONDS, cached.uat, effects)
  const known = isCached ? cached : await requestOnce(uri, store, effects)
  try {
    await verifyWith(known, metadata, response, effects)
  } catch (error) {
    const newer = await newerKeySet(uri, known, isCached, store, effects)
    if (newer === undefined) throw error
    await verifyWith(newer, metadata, response, effects)
  }
}

async function verifyWith(
  { jwks }: CachedKeySet,
  metadata: ServerMetadata,
  response: Response,
  effects: Effects,
): Promise<void> {
  // A copy, because the library also caches key sets by metadata object, regardless of the injected clock.
  await validateApplicationLevelSignature({ ...metadata }, response, {
    // As a set of this second, so that the library requests none by itself.
    [jwksCache]: { jwks, uat: Math.floor(Date.now() / 1000) },
    [allowInsecureRequests]: effects.allowInsecureLoopback === true,
  })
}

/** Whether a time of the injected clock lies in the last seconds. A clock that was set back makes it older. */
function isWithin(seconds: number, time: number, effects: Effects): boolean {
  const elapsed = nowSeconds(effects) - time
  return elapsed >= 0 && elapsed < seconds
}

const nowSeconds = (effects: Effects) => Math.floor(effects.now() / 1000)

/**
 * Returns a newer key set than one that does not verify a token: one that another call has fetched, or the server's.
 * `undefined`: the set was fetched for this very token, or the cooldown runs.
 */
async function newerKeySet(
  uri: string,
  known: CachedKeySet,
  wasCached: boolean,
  store: JwksStore,
  effects: Effects,
): Promise<CachedKeySet | undefined> {
  const latest = store.sets.get(uri)
  if (latest !== undefined && latest !== known) return latest
  const pending = store.pending.get(uri)
  if (pending !== undefined) return pending
  const { missedAt } = known
  if (missedAt !== undefined && isWithin(COOLDOWN_SECONDS, missedAt, effects)) return undefined
  known.missedAt = nowSeconds(effects)
  if (!wasCached) return undefined
  const newer = await requestOnce(uri, store, effects)
  newer.missedAt = known.missedAt
  return newer
}

/** Requests a key set, once at a time. */
function requestOnce(uri: string, store: JwksStore, effects: Effects): Promise<CachedKeySet> {
  const request = store.pending.get(uri) ?? fetchKeySet(uri, store, effects)
  store.pending.set(uri, request)
  return request
}

async function fetchKeySet(uri: string, store: JwksStore, effects: Effects): Promise<CachedKeySet> {
  try {
    const keySet = { jwks: await requestKeySet(uri, effects), uat: nowSeconds(effects) }
    storeKeySet(store, uri, keySet)
    return keySet
  } finally {
    store.pending.delete(uri)
  }
}

function storeKeySet(store: JwksStore, uri: string, keySet: CachedKeySet): void {
  store.sets.delete(uri)
  store.sets.set(uri, keySet)
  for (const oldest of store.sets.keys()) {
    if (store.sets.size <= SERVERS_LIMIT) break
    store.sets.delete(oldest)
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
  if (!Array.isArray(keys)) return { keys: [] }
  const objects = keys.filter(isJsonObject).map(dropNullMembers)
  return { keys: objects.filter(isVerificationKey).slice(0, KEYS_LIMIT) }
}

/** Accepts public keys for signatures. A key with private members is not secret any more and is rejected. */
function isVerificationKey(key: JsonObject): key is JWK {
  const asymmetric = key.kty === 'RSA' || key.kty === 'EC' || key.kty === 'OKP'
  return asymmetric && key.d === undefined && (key.use ?? 'sig') === 'sig'
}
