/**
 * Refreshes that fail: what is kept of the tokens, and what a call gets without a window and from a click. The operator
 * is a double that answers as the test defines; the stores are real, on an in-memory IndexedDB.
 *
 * Seen to fail with the code before, all but the rows of `invalid_grant` and of the unusable answers: each failure ended
 * the refresh token, an answer in an odd form was thrown to the page as 4300, and a device that called itself offline
 * sent no refresh. And: when the failure of a refresh is thrown and not followed by another way, H08; when
 * `requireNetwork` asks nothing, or throws for the flag, H17; when the token endpoint is not looked up again, or the
 * refused client is used again, H11; when an API that is refused stays in its grant, H20.
 */

import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SilentRequest } from '../../../../extension/background/authorization/silent-authorization.ts'
import type { AuthorizationResult } from '../../../../extension/background/grants/authorization-result.ts'
import type { GrantRecord } from '../../../../extension/background/grants/grants.ts'
import type {
  IdTokenClaims,
  NorthkeyErrorCode,
  RefreshTokens,
  ServerMetadata,
  TokenSet,
} from '../../../../shared/core/index.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import {
  A,
  authorized,
  B,
  grantRecord,
  METADATA,
  OPERATOR,
  tokenSet,
} from '../../support/operator.ts'

const answers = vi.hoisted(() => ({
  silent: async (_request: SilentRequest): Promise<AuthorizationResult> => {
    throw new Error('no silent authorization was expected')
  },
  refresh: async (_request: RefreshTokens): Promise<TokenSet> => {
    throw new Error('no refresh was expected')
  },
  discover: async (): Promise<ServerMetadata> => {
    throw new Error('no discovery was expected')
  },
  onboarding: 'preregistered' as 'preregistered' | 'dynamic',
}))

const device = vi.hoisted(() => ({ onLine: true }))

vi.stubGlobal('navigator', device)
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({ ...OPERATOR, onboarding: answers.onboarding }),
}))
vi.mock(
  '../../../../extension/background/authorization/silent-authorization.ts',
  async (original) => ({
    ...(await original<object>()),
    authorizeSilently: (request: SilentRequest) => answers.silent(request),
  }),
)
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  refreshTokens: (request: RefreshTokens) => answers.refresh(request),
  discover: () => answers.discover(),
  revokeToken: async () => {},
}))

const { obtainAccessToken } = await import(
  '../../../../extension/background/tokens/token-renewal.ts'
)
const { readTokens, saveTokens } = await import(
  '../../../../extension/background/grants/token-records.ts'
)
const { getSessionName, listGrants, saveGrant } = await import(
  '../../../../extension/background/grants/grants.ts'
)
const { windowMayHelp } = await import(
  '../../../../extension/background/authorization/silent-authorization.ts'
)
const { computeSubjectHandle } = await import(
  '../../../../extension/background/grants/subject-handle.ts'
)
const { interactionRequired, unreachable } = await import(
  '../../../../extension/background/platform/broker-error.ts'
)
const { NorthkeyError } = await import('../../../../shared/core/index.ts')

const UNUSABLE = { refreshToken: 'first', expiresAtMs: 0 }
const DAY_MS = 86_400_000

/** A stored grant whose access token has expired, and that has a refresh token. */
async function storedGrant(more: Partial<GrantRecord> = {}, tokens: Partial<TokenSet> = {}) {
  const grant = grantRecord({ session: await getSessionName(), ...more })
  await saveGrant(grant)
  await saveTokens(grant, grant.grantId, A.resource, authorized({ ...UNUSABLE, ...tokens }))
  return grant
}

/** The same, for a subscriber whom an ID token has identified. */
async function storedGrantOfAlice(more: Partial<GrantRecord> = {}) {
  const grant = grantRecord({ subscriber: 'identified', ...more })
  const subject = await computeSubjectHandle(grant.issuer, 'alice', grant.origin)
  const idTokenClaims = { iss: grant.issuer, sub: 'alice' } as IdTokenClaims
  return storedGrant({ ...grant, subject }, { subject: 'alice', idTokenClaims })
}

const fail = (...args: ConstructorParameters<typeof NorthkeyError>) => {
  answers.refresh = async () => {
    throw new NorthkeyError(...args)
  }
}

const outcomeOf = (grant: GrantRecord, resource = A.resource) =>
  obtainAccessToken(grant, resource).then(
    () => undefined,
    (error: unknown) => error,
  )

const sentTokens = (): string[] => {
  const sent: string[] = []
  answers.refresh = async ({ refreshToken }) => {
    sent.push(refreshToken)
    return tokenSet({ accessToken: 'renewed' })
  }
  return sent
}

beforeEach(() => {
  device.onLine = true
  answers.onboarding = 'preregistered'
  answers.discover = async () => METADATA
})

type Failure = [what: string, code: NorthkeyErrorCode, error: string | undefined, status?: number]

describe('a refusal that is not invalid_grant', () => {
  const refusals: Failure[] = [
    ['invalid_target', 'authorization_server_error', 'invalid_target', 400],
    ['temporarily_unavailable', 'authorization_server_error', 'temporarily_unavailable', 400],
    ['invalid_scope', 'authorization_server_error', 'invalid_scope', 400],
    ['an error response with status 200', 'authorization_server_error', 'slow_down', 200],
    ['400 without an error', 'invalid_response', undefined, 400],
    ['403 with HTML', 'invalid_response', undefined, 403],
    ['login_required', 'interaction_required', 'login_required', 400],
  ]

  test.each(refusals)(
    'H08: %s leads a call without a click to 4210 and a click to the window, and keeps the refresh token',
    async (_what, code, error, httpStatus) => {
      const grant = await storedGrant()
      fail(code, 'refused', { error, httpStatus })
      const outcome = await outcomeOf(grant)
      expect(outcome).toMatchObject({ code: ERROR_CODE.interactionRequired })
      const reason = error ?? `HTTP status ${httpStatus}`
      expect(String(outcome)).toContain(`the operator refused the refresh token (${reason})`)
      expect(windowMayHelp(outcome)).toBe(true)
      const sent = sentTokens()
      expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('renewed')
      expect(sent).toEqual(['first'])
    },
  )

  test.each<Failure>([
    ['503 with temporarily_unavailable', 'network_error', 'temporarily_unavailable', 503],
    ['502 with HTML', 'network_error', undefined, 502],
    ['429', 'rate_limited', undefined, 429],
  ])(
    'H08: %s is told as it is, a click leads to the window, and the refresh token is kept',
    async (_what, code, error, httpStatus) => {
      const grant = await storedGrant()
      fail(code, 'not now', { error, httpStatus })
      const outcome = await outcomeOf(grant)
      expect(outcome).toMatchObject({ code })
      expect(windowMayHelp(outcome)).toBe(true)
      const sent = sentTokens()
      await obtainAccessToken(grant, A.resource)
      expect(sent).toEqual(['first'])
    },
  )

  test('H08: the grant of an identified subscriber goes on without a window', async () => {
    const grant = await storedGrantOfAlice()
    fail('invalid_response', 'the WAF refuses', { httpStatus: 403 })
    answers.silent = async () => authorized({ subject: 'alice', accessToken: 'by session' })
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('by session')
  })
})

describe('a refresh whose refresh token must not be sent again', () => {
  test.each<Failure>([
    ['invalid_grant', 'authorization_server_error', 'invalid_grant', 400],
    ['invalid_grant with status 200', 'authorization_server_error', 'invalid_grant', 200],
    ['a page with status 200', 'invalid_response', undefined, 200],
    ['an ID token with another auth_time', 'invalid_id_token', undefined],
    ['a token of another type', 'token_type_mismatch', undefined],
  ])(
    'H08: %s leads to 4210 or the window, at the first call',
    async (_what, code, error, httpStatus) => {
      const grant = await storedGrant()
      fail(code, 'no', { error, httpStatus })
      const outcome = await outcomeOf(grant)
      expect(outcome).toMatchObject({ code: ERROR_CODE.interactionRequired })
      expect(windowMayHelp(outcome)).toBe(true)
      expect((await readTokens(grant.grantId))?.refreshToken).toBeUndefined()
    },
  )

  test.each<Failure>([
    ['is lost', 'network_error', undefined],
    ['does not come in time', 'timeout', undefined],
  ])(
    'H08: an answer that %s is 4901, and a click leads to the window',
    async (_what, code, error) => {
      const grant = await storedGrant()
      fail(code, 'no answer', { error })
      const outcome = await outcomeOf(grant)
      expect(outcome).toMatchObject({ code: ERROR_CODE.unreachable })
      expect(windowMayHelp(outcome)).toBe(true)
      const sent = sentTokens()
      await outcomeOf(grant)
      expect(sent).toEqual([])
    },
  )
})

describe('a silent renewal that the operator refuses', () => {
  test.each<Failure>([
    ['invalid_request', 'authorization_server_error', 'invalid_request'],
    ['access_denied', 'access_denied', 'access_denied'],
    [
      'unmet_authentication_requirements',
      'authorization_server_error',
      'unmet_authentication_requirements',
    ],
    ['400 without an error', 'invalid_response', undefined, 400],
  ])(
    'H05: %s is 4210 without a click, and a click leads to the window',
    async (_what, code, error, httpStatus) => {
      const grant = await storedGrantOfAlice()
      fail('authorization_server_error', 'ended', { error: 'invalid_grant' })
      answers.silent = async () => {
        throw new NorthkeyError(code, 'refused', { error, httpStatus })
      }
      const outcome = await outcomeOf(grant)
      expect(outcome).toMatchObject({ code: ERROR_CODE.interactionRequired })
      expect(windowMayHelp(outcome)).toBe(true)
    },
  )

  test('H05: a page that polls does not have it asked again and again', async () => {
    const grant = await storedGrantOfAlice()
    fail('authorization_server_error', 'ended', { error: 'invalid_grant' })
    let attempts = 0
    answers.silent = async () => {
      attempts += 1
      throw new NorthkeyError('authorization_server_error', 'no', { error: 'invalid_request' })
    }
    for (let time = 0; time < 30; time++) await outcomeOf(grant)
    expect(attempts).toBe(6)
  })
})

describe('a device that calls itself offline', () => {
  test('H17: renews all the same where the network is there', async () => {
    const grant = await storedGrant()
    device.onLine = false
    const sent = sentTokens()
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('renewed')
    expect(sent).toEqual(['first'])
  })

  test('H17: also at a server that publishes no metadata', async () => {
    const grant = await storedGrant()
    device.onLine = false
    answers.discover = async () => {
      throw new NorthkeyError('network_error', 'an error page', { httpStatus: 500 })
    }
    const sent = sentTokens()
    await obtainAccessToken(grant, A.resource)
    expect(sent).toEqual(['first'])
  })

  test('H17: does not risk its refresh token where the network is not there', async () => {
    const grant = await storedGrant()
    device.onLine = false
    answers.discover = async () => {
      throw new NorthkeyError('network_error', 'unreachable')
    }
    const sent = sentTokens()
    expect(await outcomeOf(grant)).toMatchObject({ code: 'network_error' })
    expect(sent).toEqual([])
    device.onLine = true
    await obtainAccessToken(grant, A.resource)
    expect(sent).toEqual(['first'])
  })
})

describe('a server that has forgotten what it once said', () => {
  test('H11: a token endpoint that is gone is looked up again, once', async () => {
    const grant = await storedGrant()
    const moved = `${OPERATOR.issuer}/new/token`
    answers.discover = async () => ({ ...METADATA, token_endpoint: moved })
    const asked: unknown[] = []
    answers.refresh = async ({ metadata }) => {
      asked.push(metadata.token_endpoint)
      if (metadata.token_endpoint !== moved) {
        throw new NorthkeyError('invalid_response', 'not found', { httpStatus: 404 })
      }
      return tokenSet({ accessToken: 'renewed', expiresAtMs: 0 })
    }
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('renewed')
    await obtainAccessToken(grant, A.resource)
    expect(asked).toEqual([METADATA.token_endpoint, moved, moved])
  })

  test('H11: a client that was refused is not used again, and the grant goes on with another', async () => {
    answers.onboarding = 'dynamic'
    const grant = await storedGrantOfAlice({ clientId: 'forgotten' })
    let refreshes = 0
    answers.refresh = async () => {
      refreshes += 1
      throw new NorthkeyError('authorization_server_error', 'who?', { error: 'invalid_client' })
    }
    answers.silent = async () => {
      throw unreachable()
    }
    await outcomeOf(grant)
    await outcomeOf(grant)
    expect(refreshes).toBe(1)
    const tokens = {
      accessToken: 'new',
      refreshToken: 'second',
      expiresAtMs: 0,
      subject: 'alice',
      idTokenClaims: { iss: grant.issuer, sub: 'alice' } as IdTokenClaims,
    }
    answers.silent = async () => ({ ...authorized(tokens), clientId: 'another' })
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('new')
    expect((await listGrants(grant.origin))[0]?.clientId).toBe('another')
    const clients: string[] = []
    answers.refresh = async ({ clientId }) => {
      clients.push(clientId)
      return tokenSet()
    }
    await obtainAccessToken(grant, A.resource)
    expect(clients).toEqual(['another'])
  })
})

describe('a grant of two APIs, of which the server serves one', () => {
  async function grantOfTwo() {
    const grant = await storedGrant({ apis: [A, B] }, { resource: A.resource })
    const sent: (string | undefined)[] = []
    answers.refresh = async ({ resource }) => {
      sent.push(resource)
      if (resource !== B.resource) return tokenSet({ accessToken: 'for A', expiresAtMs: 0 })
      throw new NorthkeyError('authorization_server_error', 'no', { error: 'invalid_target' })
    }
    return { grant, sent }
  }

  test('H20: the other API is not taken with it, and the grant says which one serves', async () => {
    const { grant, sent } = await grantOfTwo()
    const outcome = await outcomeOf(grant, B.resource)
    expect(outcome).toMatchObject({ code: 4310, data: { error: 'invalid_target' } })
    expect(windowMayHelp(outcome)).toBe(false)
    expect((await listGrants(grant.origin))[0]?.apis).toEqual([A])
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('for A')
    expect(sent).toEqual([B.resource, A.resource])
  })

  test('H20: an API that is alone in its grant stays there, and a window may help', async () => {
    const grant = await storedGrant()
    fail('authorization_server_error', 'no', { error: 'invalid_target', httpStatus: 400 })
    expect(await outcomeOf(grant)).toMatchObject({ code: ERROR_CODE.interactionRequired })
    expect((await listGrants(grant.origin))[0]?.apis).toEqual([A])
  })
})

describe('a token whose life the server does not state', () => {
  const UNSTATED = 8_640_000_000_000_000

  test('H12: serves each call until the API refuses it, without another authorization', async () => {
    const grant = await storedGrant()
    const plain = authorized({ accessToken: 'for long', expiresAtMs: UNSTATED })
    await saveTokens(grant, 'key', A.resource, plain)
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    for (let day = 0; day < 3; day++) {
      vi.setSystemTime(Date.now() + DAY_MS)
      const wanted = { minValidityMs: DAY_MS }
      expect((await obtainAccessToken(grant, A.resource, wanted)).accessToken).toBe('for long')
    }
    vi.setSystemTime(Date.now() - 30 * DAY_MS)
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('for long')
  })

  test('H12: does not count for ever among the valid tokens of its grant once it is replaced', async () => {
    const grant = await storedGrantOfAlice()
    for (let time = 0; time < 70; time++) {
      const next = authorized({ subject: 'alice', expiresAtMs: UNSTATED })
      await saveTokens(grant, `key ${time}`, A.resource, next)
    }
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.setSystemTime(Date.now() + 2 * DAY_MS)
    answers.silent = async () => {
      throw interactionRequired('the operator has to ask')
    }
    expect(await outcomeOf({ ...grant, apis: [B] }, B.resource)).toMatchObject({
      code: ERROR_CODE.interactionRequired,
    })
  })
})
