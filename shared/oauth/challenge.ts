/**
 * Reads the challenges of a resource (`WWW-Authenticate`), which oauth4webapi parses.
 * @see RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3
 */

import {
  processRevocationResponse,
  type WWWAuthenticateChallenge,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'
import { sanitizeServerText } from './error.ts'
import { isAcrValues } from './opaque-values.ts'
import { isScope } from './scope.ts'

export type Challenge = WWWAuthenticateChallenge

const HEADER_LIMIT = 8192
/** Separators of a field, also those between the words of a scope. An honest field has far fewer. */
const SEPARATOR_LIMIT = 256

/**
 * Tells whether a field is short and simple. The library copies the rest of the field for each parameter and each
 * scheme: a field of many would take the time of the worker, which all calls share.
 */
const isBounded = (header: string) =>
  header.length <= HEADER_LIMIT && (header.match(/[\s,]+/g)?.length ?? 0) <= SEPARATOR_LIMIT

/**
 * All challenges of a `WWW-Authenticate` field, schemes in lower case. A field that is malformed, too long or too
 * complex has none.
 */
export async function parseChallenges(header: string | null): Promise<Challenge[]> {
  if (header === null || !isBounded(header)) return []
  try {
    // The library parses challenges only while it processes an error response; this is its smallest function.
    const headers = { 'www-authenticate': header }
    await processRevocationResponse(new Response(null, { status: 401, headers }))
  } catch (error) {
    if (error instanceof WWWAuthenticateChallengeError) return error.cause
  }
  return []
}

/** The demand of a resource. */
export type ResourceDemand =
  | { kind: 'none' }
  | { kind: 'use_dpop_nonce' }
  | { kind: 'invalid_token'; description?: string | undefined }
  | { kind: 'insufficient_scope'; scope?: string | undefined }
  | {
      kind: 'insufficient_user_authentication'
      acrValues?: string | undefined
      maxAgeSeconds?: number | undefined
    }

/**
 * Reads the demand of the first challenge whose scheme is that of the token which was sent. A challenge of
 * the other scheme is ignored: a DPoP token is never sent again as a bearer token.
 * @see RFC 9449 section 7.2
 */
export async function judgeChallenges(
  header: string | null,
  tokenType: 'Bearer' | 'DPoP',
): Promise<ResourceDemand> {
  const scheme = tokenType.toLowerCase()
  for (const challenge of await parseChallenges(header)) {
    if (challenge.scheme !== scheme) continue
    const { error, error_description, scope, acr_values, max_age } = challenge.parameters as Record<
      string,
      string | undefined
    >
    switch (error) {
      case 'use_dpop_nonce':
        return { kind: error }
      case 'invalid_token':
        return { kind: error, description: sanitizeServerText(error_description) }
      case 'insufficient_scope':
        return { kind: error, scope: isScope(scope) ? scope : undefined }
      case 'insufficient_user_authentication':
        return {
          kind: error,
          acrValues: isAcrValues(acr_values) ? acr_values : undefined,
          maxAgeSeconds: /^\d{1,9}$/.test(max_age ?? '') ? Number(max_age) : undefined,
        }
    }
  }
  return { kind: 'none' }
}
