/** Cache of the key sets of authorization servers, with the requests in flight. `jwks.ts` fills it. */

import type { ExportedJWKSCache, JWKS } from 'oauth4webapi'

export interface JwksStore {
  /** Key sets by `jwks_uri`. */
  sets: Map<string, ExportedJWKSCache>
  /** Requests in flight by `jwks_uri`, so that a key set is requested once at a time. */
  pending: Map<string, Promise<JWKS>>
}

/** Creates an empty store. */
export function createJwksStore(): JwksStore {
  return { sets: new Map(), pending: new Map() }
}
