/**
 * Checks before anybody is asked what can be known of a request: the metadata of the server, what they offer, and the
 * client document of the page. An error here comes in place of the consent window.
 *
 * A server that does not answer soon, or cannot be reached, says nothing: the user is asked meanwhile. The metadata are
 * kept for the flow, which uses them once the user has allowed.
 *
 * @see RFC 8414
 */

import {
  checkAuthorization,
  isNorthkeyError,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { METADATA_WAIT_MS } from '../../limits.ts'
import { checkClientDocument } from '../clients/clients.ts'
import { discoverForNextFlow } from '../operators/operator-discovery.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { findOperator } from '../operators/operators.ts'
import { createEffects } from '../platform/effects.ts'
import type { FlowBase } from './flow-records.ts'

/** Errors that may be gone a moment later. */
const TRANSIENT: readonly string[] = ['network_error', 'timeout', 'rate_limited', 'aborted']

const isTransient = (error: unknown) => isNorthkeyError(error) && TRANSIENT.includes(error.code)

/** Checks what the metadata say, before a client is registered. @throws NorthkeyError */
export function checkMetadataOffer(
  server: OperatorProfile,
  metadata: ServerMetadata,
  clientId: string | undefined,
): void {
  checkAuthorization({ server, metadata, clientId }, createEffects(getServerOrigins(server)))
}

async function checkServer({ origin, request }: FlowBase): Promise<void> {
  const server = await findOperator(request.issuer)
  // The flow itself ends where its operator is gone.
  if (!server) return
  const metadata = await discoverForNextFlow(server)
  checkMetadataOffer(server, metadata, request.clientId)
  await checkClientDocument(server, origin, request.clientId)
}

/**
 * Checks a request that the user is about to be asked for.
 *
 * @throws BrokerError or NorthkeyError of a request that cannot succeed.
 */
export async function checkRequest(flow: FlowBase): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, METADATA_WAIT_MS)
  })
  try {
    await Promise.race([checkServer(flow), limit])
  } catch (error) {
    if (!isTransient(error)) throw error
  } finally {
    clearTimeout(timer)
  }
}
