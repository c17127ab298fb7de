/**
 * Opens the sign-in window of a flow while the requests for it are under way: metadata, registration, pushed
 * authorization request. The window waits at a picture of the broker. It is sent to the operator once the redirect URI
 * is blocked in its tab and the record of the flow has its number.
 *
 * Border: `windows.ts` opens tabs, `redirect-rules.ts` has the rules, `authorization-flow.ts` goes on with the response.
 *
 * @see decision 0037, RFC 9126
 */

import { type BegunAuthorization, beginAuthorization } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ClientAtServer, runAsClient } from '../clients/client-retry.ts'
import { getClientKey, getRedirectUri, resolveClientId } from '../clients/clients.ts'
import { getFlowDpopKey } from '../clients/dpop.ts'
import { getGrant } from '../grants/grants.ts'
import { discoverServer } from '../operators/operator-discovery.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { toApiRequest } from '../operators/operators.ts'
import { accessDenied, redirectBlocked } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { runTogether } from '../platform/run-together.ts'
import { watchTab } from './blocked-redirect.ts'
import { openChannel } from './capif-revocation-channel.ts'
import { checkMetadataOffer } from './check-request.ts'
import { runFlowStep } from './flow-outcomes.ts'
import { type FlowBase, type FlowIn, flows, getFlowBase, getFlowTab } from './flow-records.ts'
import { blockInTab } from './redirect-rules.ts'
import { spendActivation } from './user-activation.ts'
import * as windows from './windows.ts'

/** The operator of a flow, and the client that the origin is there. */
export interface FlowClient extends ClientAtServer {
  server: OperatorProfile
}

/** Finds the client of a flow: metadata, and a registration where there is none. */
export async function findClient(
  { request, approval, origin }: FlowIn<'preparing'>,
  server: OperatorProfile,
): Promise<FlowClient> {
  const metadata = await discoverServer(server)
  checkMetadataOffer(server, metadata, request.clientId)
  const clientId = await resolveClientId(server, metadata, origin, request.clientId)
  await openChannel(server, clientId, approval.apis)
  return { server, metadata, clientId }
}

/** Tells whether a flow renews a grant whose subscriber is identified. */
export async function needsIdToken({ origin, renews }: FlowBase): Promise<boolean> {
  return renews !== undefined && (await getGrant(origin, renews)).subscriber === 'identified'
}

async function beginSignIn(
  record: FlowIn<'preparing'>,
  getClient: () => Promise<FlowClient>,
): Promise<BegunAuthorization> {
  const { request, approval, deadlineMs, flowId, origin } = record
  const { loginHint, acrValues, maxAge } = request
  const { server, metadata: found, clientId: first } = await getClient()
  const begin = async ({ metadata, clientId }: ClientAtServer) => {
    if (clientId !== first) await openChannel(server, clientId, approval.apis)
    const [redirectUri, idToken, dpop, clientKey] = await runTogether([
      getRedirectUri(request.issuer),
      needsIdToken(record),
      getFlowDpopKey(server, metadata, flowId),
      getClientKey(server, origin),
    ])
    return beginAuthorization(
      {
        server,
        metadata,
        clientId,
        redirectUri,
        apis: approval.apis.map((api) => toApiRequest(server, api)),
        deadlineMs,
        loginHint,
        idToken,
        acrValues,
        maxAge,
        dpop,
        clientKey,
      },
      createEffects(getServerOrigins(server)),
    )
  }
  return runAsClient(server, origin, first, begin, found)
}

/** Fails a flow whose redirect URI the browser does not load. */
function failBlockedFlow(flowId: string): Promise<void> {
  return runFlowStep(flowId, async () => {
    const isAwaited = (await flows.get(flowId))?.status === 'awaitingAuthorizationResponse'
    if (isAwaited) throw redirectBlocked(new URL(redirectBase).host)
  })
}

/** Watches a sign-in window for a redirect URI that the browser does not load. */
export function watchSignIn(flowId: string, tabId: number): void {
  watchTab(tabId, () => void failBlockedFlow(flowId))
}

/** Sign-in tabs that this worker has opened, with their flows. */
const flowsByTab = new Map<number, string>()

/** Finds the flow of a sign-in tab. */
export async function findFlowOfTab(tabId: number): Promise<string | undefined> {
  const flowId = flowsByTab.get(tabId)
  if (flowId !== undefined) return flowId
  return (await flows.all()).find((record) => getFlowTab(record) === tabId)?.flowId
}

/** Forgets a sign-in tab that is closed. */
export const forgetFlowOfTab = (tabId: number): boolean => flowsByTab.delete(tabId)

/**
 * Opens the window, and closes it again if a request fails.
 *
 * @param getClient Finds the client, which may send requests.
 * @param writing The write of the record, which comes before the window.
 */
export async function openSignIn(
  record: FlowIn<'preparing'>,
  getClient: () => Promise<FlowClient>,
  writing?: Promise<unknown>,
): Promise<void> {
  const { flowId, pageTabId, approval } = record
  await runTogether([writing, record.isConsented ? undefined : spendActivation(record)])
  const opening = windows.openSignIn(flowId, pageTabId)
  const recording = (async () => {
    const [tabId, { flow, authorizationUrl }] = await runTogether([
      opening,
      beginSignIn(record, getClient),
    ])
    const base = getFlowBase(record)
    const status = 'awaitingAuthorizationResponse'
    await flows.set(flowId, { ...base, status, approval, flow, tabId })
    return authorizationUrl
  })()
  try {
    const [tabId, authorizationUrl] = await runTogether([
      opening,
      recording,
      blockInTab(opening),
      opening.then(windows.waitUntilNavigable),
    ])
    flowsByTab.set(tabId, flowId)
    watchSignIn(flowId, tabId)
    if (!(await windows.navigateTab(tabId, authorizationUrl))) throw accessDenied()
  } catch (error) {
    await windows.closeTab(await opening.catch(() => undefined))
    throw error
  }
}
