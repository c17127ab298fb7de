/**
 * Chooses the DPoP key of an authorization flow, from the operator's profile and metadata.
 *
 * @see RFC 9449 section 5
 */

import type { DpopKey, ServerMetadata } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { createKey, getKey } from './keys.ts'

/**
 * Returns the key of a flow, and creates it at the first call. `undefined`: the tokens are not bound to a
 * key.
 */
export async function getFlowDpopKey(
  server: OperatorProfile,
  metadata: ServerMetadata,
  keyId: string,
): Promise<DpopKey | undefined> {
  const { dpop = 'when_offered' } = server
  const offered = metadata.dpop_signing_alg_values_supported?.includes('ES256') === true
  if (dpop === 'never' || (dpop === 'when_offered' && !offered)) return undefined
  return (await getKey(keyId)) ?? createKey(keyId)
}
