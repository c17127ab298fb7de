/** Cache of the key sets of authorization servers, with the requests in flight. `jwks.ts` fills it. */

import type { JWKS } from 'oauth4webapi'

/** A key set with its times, in seconds of the injected clock. */
export interface CachedKeySet {
  readonly jwks: JWKS
  /** When the server sent it. */
  readonly uat: number
  /** When it was last requested for a token that no known key verifies. */
  missedAt?: number
}

export interface JwksStore {
  /** Key sets by `jwks_uri`. */
  sets: Map<string, CachedKeySet>
  /** Requests in flight by `jwks_uri`, so that a key set is requested once at a time. */
  pending: Map<string, Promise<CachedKeySet>>
}

/** Creates an empty store. */
export function createJwksStore(): JwksStore {
  return { sets: new Map(), pending: new Map() }
}
