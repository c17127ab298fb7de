/**
 * An API without scopes, from the call of the page to the renewal of its grant. The operator is a double that states
 * a scope as the test defines; the stores are real, on an in-memory IndexedDB.
 *
 * Seen to fail when the page has to name a scope, when an API whose grant has none is left out of it, and when a
 * renewal requests what the server has stated before (H21).
 *
 * @see RFC 6749 section 3.3
 */

import 'fake-indexeddb/auto'
import { seen, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => operator,
}))
vi.mock('../../../../extension/background/sites/sites.ts', () => ({ isSiteOn: async () => true }))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  discover: async () => METADATA,
  receiveAuthorizationResponse: (flow: AwaitingAuthorizationResponse) => passed(flow),
  redeemCode: async () => answers.tokens,
  refreshTokens: async (request: RefreshTokens) => {
    answers.refresh = request
    return answers.tokens
  },
}))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { handleRedirect } from '../../../../extension/background/authorization/authorization-flow.ts'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import {
  deleteGrant,
  getGrant,
  listGrants,
} from '../../../../extension/background/grants/grants.ts'
import { listOfferedApis } from '../../../../extension/background/grants/offered-apis.ts'
import { connect } from '../../../../extension/background/methods/connect.ts'
import { getAccessToken } from '../../../../extension/background/methods/get-access-token.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import { renewWithUser } from '../../../../extension/background/methods/user-interaction.ts'
import { describeConsentRequest } from '../../../../extension/background/screens/consent-request.ts'
import type {
  AwaitingAuthorizationResponse,
  RefreshTokens,
  TokenSet,
} from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { ERROR_CODE, type Grant } from '../../../../shared/messages/page-api.ts'
import { A, METADATA, newOrigin, OPERATOR, passed, tokenSet } from '../../support/operator.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const answers: { tokens: TokenSet; refresh?: RefreshTokens } = { tokens: tokenSet() }
const SCOPELESS = { resource: 'https://scopeless.example/v1' }
const ORIGIN = newOrigin()
const operator: OperatorProfile = {
  ...OPERATOR,
  apis: [...OPERATOR.apis, { ...SCOPELESS, name: 'Scopeless', scopes: [] }],
  applications: [
    {
      clientId: 'client',
      name: 'App',
      origins: [ORIGIN],
      requireConsent: false,
      consentWaiver: { modes: ['token'], apis: [SCOPELESS] },
    },
  ],
}

const callOf = (): Call => ({
  origin: ORIGIN,
  tabId: 1,
  documentId: 'document',
  key: undefined,
  requestId: crypto.randomUUID(),
  calledAtMs: Date.now(),
  userActivation: true,
  visible: true,
  signal: new AbortController().signal,
  deliver: () => {},
})

/** Signs in at the operator's window of a call. @returns The parameters of the authorization request. */
async function signIn(): Promise<URLSearchParams> {
  const { id, url } = await vi.waitFor(() => {
    const tab = seen.tabs.find((candidate) => candidate.url.includes('/auth?'))
    if (!tab) throw new Error('no sign-in window')
    return tab
  }, WITHIN_MS)
  seen.tabs = []
  await handleRedirect(id, 'https://northkey.chromiumapp.org/?code=c')
  // The next call has a click of its own.
  await storage.session.remove('openedWindows')
  return new URL(url).searchParams
}

async function connectScopeless(
  stated: string,
): Promise<{ grant: Grant; request: URLSearchParams }> {
  answers.tokens = tokenSet({ scope: stated, resource: SCOPELESS.resource, refreshToken: 'r' })
  const params = { issuer: operator.issuer, mode: 'token' as const, apis: [SCOPELESS] }
  const connecting = connect(callOf(), params)
  const request = await signIn()
  return { grant: await connecting, request }
}

beforeEach(async () => {
  seen.tabs = []
  for (const grant of await listGrants(ORIGIN)) await deleteGrant(grant)
})

describe('H21: an API without scopes', () => {
  test.each(['read write', ''])(
    'is requested without scope, and granted with %j, as the server states',
    async (scope) => {
      const { grant, request } = await connectScopeless(scope)
      expect(request.has('scope')).toBe(false)
      expect(request.get('resource')).toBe(SCOPELESS.resource)
      expect(grant.apis).toEqual([{ ...SCOPELESS, scope }])
      const record = await getGrant(ORIGIN, grant.grantId)
      expect(await listOfferedApis(record)).toEqual(grant.apis)
      const token = await getAccessToken(callOf(), { ...SCOPELESS, scope })
      expect(token).toMatchObject({ ...SCOPELESS, scope, grantId: grant.grantId })
    },
  )

  test('has a grant that covers the next request', async () => {
    const { grant } = await connectScopeless('read write')
    const params = { issuer: operator.issuer, mode: 'token' as const, apis: [SCOPELESS] }
    expect(await connect(callOf(), params)).toMatchObject({ grantId: grant.grantId })
  })

  test('is renewed without scope, also where the server states another', async () => {
    const { grant } = await connectScopeless('read write')
    answers.tokens = tokenSet({ scope: 'read', resource: SCOPELESS.resource })
    const renewing = renewWithUser(callOf(), await getGrant(ORIGIN, grant.grantId))
    expect((await signIn()).has('scope')).toBe(false)
    expect(await renewing).toMatchObject({
      grantId: grant.grantId,
      apis: [{ ...SCOPELESS, scope: 'read' }],
    })
  })

  test('is described to the user without scopes', async () => {
    const apis = [{ ...SCOPELESS, scope: '' }]
    const page = new AbortController()
    const params = { issuer: operator.issuer, apis }
    const call = { ...callOf(), signal: page.signal }
    const asking = connect(call, params).catch((error) => error)
    const flow = await vi.waitFor(async () => {
      const [record] = (await flows.all()).filter(({ status }) => status === 'awaitingConsent')
      if (!record) throw new Error('no flow')
      return record
    }, WITHIN_MS)
    const described = await describeConsentRequest(flow.flowId)
    expect(described?.apis).toEqual([{ ...SCOPELESS, scope: '', name: 'Scopeless', scopes: [] }])
    page.abort()
    await asking
  })

  test.each([
    ['a scope for it', [{ ...SCOPELESS, scope: 'read' }]],
    ['no scope for another API', [{ resource: A.resource }]],
  ])('%s is an error, and no window opens', async (_, apis) => {
    await expect(connect(callOf(), { issuer: operator.issuer, apis })).rejects.toMatchObject({
      code: ERROR_CODE.invalidParams,
      message: expect.stringMatching(/^apis\[0\]: expected .* no scope where it offers none$/),
    })
    expect(seen.tabs).toEqual([])
  })
})
