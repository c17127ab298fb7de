/**
 * Tests the end of a site and of an operator while servers hang: what the user ends is over on the UE at once, and
 * nothing that was under way survives it. The servers are doubles, the stores are real, on an in-memory IndexedDB.
 *
 * Seen to fail when the grants are listed before the flows have ended (the grant of a code that was being redeemed
 * stayed), and when the grants wait for the flows, or one flow for another (the grants and the second flow of a
 * site stayed as long as an operator hung).
 */

import 'fake-indexeddb/auto'
import { storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { RedeemableFlow, TokenSet } from '../../../../shared/core/index.ts'
import { authorized, METADATA, tokenSet } from '../../support/operator.ts'
import { flowOf, grantOf, ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const { server } = vi.hoisted(() => ({
  server: {
    discover: (): Promise<unknown> => new Promise(() => {}),
    redeem: (): Promise<TokenSet> => new Promise(() => {}),
    revoked: [] as string[],
  },
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  discover: () => server.discover(),
  redeemCode: () => server.redeem(),
  revokeToken: async ({ token }: { token: string }) => void server.revoked.push(token),
}))

import {
  resumeFlowOfCall,
  startFlow,
} from '../../../../extension/background/authorization/authorization-flow.ts'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import { listAllGrants, saveGrant } from '../../../../extension/background/grants/grants.ts'
import { saveTokens } from '../../../../extension/background/grants/token-records.ts'
import { stopSite, useSite } from '../../../../extension/background/lifecycle/site-changes.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'

const REQUEST = flowOf().request
const APPROVAL = { apis: REQUEST.apis, lifetime: 'day' as const }

beforeEach(async () => {
  server.revoked = []
  await handleScreenRequest({
    type: 'screenRequest',
    method: 'addOperator',
    params: { text: JSON.stringify(OPERATOR) },
  })
})

describe('the end of an operator', () => {
  test('ends the grant of a code that is being redeemed at that moment too', async () => {
    const flow = flowOf()
    const metadata = { ...METADATA, issuer: ISSUER, token_endpoint: `${ISSUER}/token` }
    const redeemable = { clientId: 'client', metadata } as unknown as RedeemableFlow
    let answer: (tokens: TokenSet) => void = () => {}
    const redeeming = new Promise<void>((begun) => {
      server.redeem = () => {
        begun()
        return new Promise((resolve) => {
          answer = resolve
        })
      }
    })
    await flows.set(flow.flowId, { ...flow, status: 'redeemable', approval: APPROVAL, redeemable })
    void resumeFlowOfCall(flow.origin, flow.requestId)
    await redeeming
    const removing = handleScreenRequest({
      type: 'screenRequest',
      method: 'removeOperator',
      params: { issuer: ISSUER },
    })
    // Barrier: the removal waits for the flow once it has listed the grants and the flows.
    await flows.all()
    await listAllGrants()
    answer(tokenSet({ scope: 'qos:create', refreshToken: 'late' }))
    await removing
    expect(await listAllGrants()).toEqual([])
    expect(server.revoked).toEqual(['late'])
  })
})

describe('the end of a site', () => {
  test('ends its grants and its other flows at once, while the server of a flow hangs', async () => {
    await useSite(ORIGIN)
    const grant = grantOf()
    await saveGrant(grant)
    await saveTokens(grant, 'key', 'slot', authorized({ refreshToken: 'refresh' }))
    void startFlow(flowOf({ flowId: 'a' }), APPROVAL)
    await vi.waitFor(
      async () => expect(await flows.get('a')).toMatchObject({ status: 'preparing' }),
      WITHIN_MS,
    )
    await storage.session.remove('openedWindows')
    const asking = startFlow(flowOf({ flowId: 'b', renews: grant.grantId }), 'ask')
    await vi.waitFor(async () => expect(await flows.get('b')).toHaveProperty('tabId'), WITHIN_MS)
    void stopSite(ORIGIN)
    await vi.waitFor(() => expect(server.revoked).toEqual(['refresh']), WITHIN_MS)
    expect(await listAllGrants()).toEqual([])
    expect(await asking).toMatchObject({ error: { data: { error: 'access_denied' } } })
  })
})
