/** Whether tokens are to be bound to a key, and to which. @see RFC 9449 section 5 */

import type { DpopKey, ServerMetadata } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { createKey, getKey } from './keys.ts'

/** The key of a flow, made when it is first asked for; `undefined` where none is wanted. */
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
