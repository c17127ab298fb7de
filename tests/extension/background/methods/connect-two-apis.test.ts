/**
 * A grant of two APIs at a server that gives a token for one resource at a time (RFC 8707): the grant that the page gets
 * has the APIs that the server serves.
 *
 * Seen to fail before: the grant had both APIs, and the first call of the second one ended the refresh token. And
 * without `probeFurtherApis`; when any failure takes an API out of the grant; when `findUsableGrant` throws
 * `invalid_target`.
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

const server = vi.hoisted(() => ({
  refresh: async (_request: RefreshTokens): Promise<TokenSet> => {
    throw new Error('no refresh was expected')
  },
  /** The grant that a flow creates. */
  flow: async (): Promise<Grant> => {
    throw new Error('no flow was expected')
  },
}))

vi.stubGlobal('navigator', { onLine: true })
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => OPERATOR,
  findApplication: () => ({ clientId: 'client', name: 'Application', origins: [] }),
}))
vi.mock('../../../../extension/background/methods/user-interaction.ts', () => ({
  askUser: (_call: Call, _issuer: string, task: () => Promise<Grant>) => task(),
  runFlow: () => server.flow(),
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  refreshTokens: (request: RefreshTokens) => server.refresh(request),
}))

import { beforeEach, expect, test, vi } from 'vitest'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import type { RefreshTokens, TokenSet } from '../../../../shared/core/index.ts'
import type { ConnectParams, Grant } from '../../../../shared/messages/page-api.ts'
import {
  A,
  authorized,
  B,
  grantRecord,
  ISSUER,
  newOrigin,
  OPERATOR,
  tokenSet,
} from '../../support/operator.ts'

const { connect } = await import('../../../../extension/background/methods/connect.ts')
const { getSessionName, saveGrant } = await import(
  '../../../../extension/background/grants/grants.ts'
)
const { saveTokens } = await import('../../../../extension/background/grants/token-records.ts')
const { NorthkeyError } = await import('../../../../shared/core/index.ts')

const REQUEST: ConnectParams = { issuer: ISSUER, apis: [A, B], mode: 'token' }

const callOf = (origin: string): Call => ({
  origin,
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

let resources: (string | undefined)[]

/** A server that has given a token for the first API, and answers a refresh for the second one with an error. */
function serverThatRefuses(
  origin: string,
  error: string | undefined,
  resource: string | undefined,
) {
  server.flow = async () => {
    const session = await getSessionName()
    const grant = grantRecord({ origin, session, clientId: 'client', apis: [A, B] })
    await saveGrant(grant)
    const tokens = { refreshToken: 'first', ...(resource !== undefined && { resource }) }
    await saveTokens(grant, grant.grantId, A.resource, authorized({ ...tokens, scope: 'a b' }))
    return grant
  }
  server.refresh = async (request) => {
    resources.push(request.resource)
    if (error === undefined) return tokenSet({ scope: 'b' })
    throw new NorthkeyError('authorization_server_error', 'no', { error, httpStatus: 400 })
  }
}

beforeEach(() => {
  resources = []
})

test.each([
  [undefined, [A, B]],
  ['invalid_target', [A]],
  ['temporarily_unavailable', [A, B]],
  ['invalid_grant', [A, B]],
])('H20: after %s for the second API the grant has the APIs that serve', async (error, apis) => {
  const origin = newOrigin()
  serverThatRefuses(origin, error, A.resource)
  expect((await connect(callOf(origin), REQUEST)).apis).toEqual(apis)
  expect(resources).toEqual([B.resource])
})

test('H20: a token for all APIs at once causes no further request', async () => {
  const origin = newOrigin()
  serverThatRefuses(origin, undefined, undefined)
  expect((await connect(callOf(origin), REQUEST)).apis).toEqual([A, B])
  expect(resources).toEqual([])
})

test('H20: a grant that loses an API later does not end the next request for both with an error', async () => {
  const origin = newOrigin()
  serverThatRefuses(origin, undefined, undefined)
  await connect(callOf(origin), REQUEST)
  serverThatRefuses(origin, 'invalid_target', A.resource)
  expect((await connect(callOf(origin), REQUEST)).apis).toEqual([A])
})
