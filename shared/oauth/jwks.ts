/**
 * Key sets of servers: fetched inside all limits, reduced to what can verify a signature, remembered,
 * and fetched again for an unknown key at most once a minute (the cooldown is oauth4webapi's).
 *
 * Border: a key set comes from `jwks_uri` of the metadata and from nowhere else. What the header of a
 * JWT names (`jku`, `x5u`, `jwk`) is not read. @see RFC 8725 section 3.10
 */

import {
  allowInsecureRequests,
  customFetch,
  type ExportedJWKSCache,
  jwksCache,
  validateApplicationLevelSignature,
} from 'oauth4webapi'
import { type Effects, skewSeconds } from './effects.ts'
import { boundedFetch } from './http.ts'
import { isJsonObject, readJsonObject } from './json-response.ts'
import type { ServerMetadata } from './metadata.ts'

/** Key sets by their URI, and the requests for them that are under way. */
export interface JwksStore {
  sets: Map<string, ExportedJWKSCache>
  pending: Map<string, Promise<string>>
}

export function createJwksStore(): JwksStore {
  return { sets: new Map(), pending: new Map() }
}

const programStore = createJwksStore()
const SERVERS_LIMIT = 32
const KEYS_LIMIT = 64

/**
 * Verifies the signature of the JWT that oauth4webapi found in a response.
 * @param response The very object that was processed.
 * @see OIDC Core section 10.1.1 (rotation), RFC 7515 section 5.2
 */
export async function verifyResponseSignature(
  metadata: ServerMetadata,
  response: Response,
  effects: Effects,
): Promise<void> {
  const store = effects.jwks ?? programStore
  const uri = metadata.jwks_uri ?? ''
  const skew = skewSeconds(effects)
  const known = store.sets.get(uri)
  // The stored time is of the injected clock, the library's of the system's.
  const cache: Partial<ExportedJWKSCache> = known ? { jwks: known.jwks, uat: known.uat - skew } : {}
  try {
    // A copy, because the library remembers key sets by object as well, past any injected clock.
    await validateApplicationLevelSignature({ ...metadata }, response, {
      [jwksCache]: cache as ExportedJWKSCache,
      [customFetch]: async (url) =>
        new Response(await jwksText(url, store, effects), {
          headers: { 'content-type': 'application/json' },
        }),
      [allowInsecureRequests]: effects.allowInsecureLoopback === true,
    })
  } finally {
    const { jwks, uat } = cache
    if (jwks !== undefined && uat !== undefined) remember(store, uri, { jwks, uat: uat + skew })
  }
}

function remember(store: JwksStore, uri: string, entry: ExportedJWKSCache): void {
  store.sets.delete(uri)
  store.sets.set(uri, entry)
  for (const oldest of store.sets.keys()) {
    if (store.sets.size <= SERVERS_LIMIT) break
    store.sets.delete(oldest)
  }
}

function jwksText(url: string, store: JwksStore, effects: Effects): Promise<string> {
  const pending = store.pending.get(url)
  if (pending !== undefined) return pending
  const request = usableKeys(url, effects).finally(() => store.pending.delete(url))
  store.pending.set(url, request)
  return request
}

async function usableKeys(url: string, effects: Effects): Promise<string> {
  const what = 'key set endpoint'
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const response = await boundedFetch(url, { method: 'GET', headers }, what, effects)
  if (response.status !== 200) return '{}'
  const { keys } = await readJsonObject(response, what, [
    'application/json',
    'application/jwk-set+json',
  ])
  const usable = Array.isArray(keys) ? keys.filter(isVerificationKey).slice(0, KEYS_LIMIT) : []
  return JSON.stringify({ keys: usable })
}

/** A public key of a kind that signs. One with private members is no longer its owner's secret. */
function isVerificationKey(key: unknown): boolean {
  if (!isJsonObject(key)) return false
  const asymmetric = key.kty === 'RSA' || key.kty === 'EC' || key.kty === 'OKP'
  return asymmetric && key.d === undefined && (key.use ?? 'sig') === 'sig'
}
