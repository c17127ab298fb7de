/**
 * Renewal of a grant's tokens: single flight, subscribers, failed renewals. The operator is a double that
 * answers as the test defines; the stores are real, on an in-memory IndexedDB.
 *
 * Seen to fail: when only its first caller removes a flight from the single flight, the first test never ends;
 * when the subscriber is compared with that of the token record, the second test fails; without `deleteKey` in
 * `renewAccessToken`, the test of the private key. The tests of A02: when a renewal asks for no ID token, takes
 * tokens without one, renews a grant without a subscriber by a silent authorization, or keeps the tokens of a
 * refresh that was rejected. The test of renewals that wait: when any number of them may. The tests of a page that
 * collects tokens: when a record keeps expired tokens, when it has no limit, when a renewal forgets the tokens that it
 * replaces, and when early renewals have no limit. The tests of H04: when a refresh names a resource that the
 * authorization did not name, and when the token of an authorization without resources serves one API alone.
 */

import 'fake-indexeddb/auto'
import { createStore, keys } from 'idb-keyval'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SilentRequest } from '../../../../extension/background/authorization/silent-authorization.ts'
import type { AuthorizationResult } from '../../../../extension/background/grants/authorization-result.ts'
import type { GrantRecord } from '../../../../extension/background/grants/grants.ts'
import type {
  IdTokenClaims,
  RefreshTokens,
  RevokeToken,
  TokenSet,
} from '../../../../shared/core/index.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import { A, authorized, B, grantRecord, OPERATOR, tokenSet } from '../../support/operator.ts'

const answers = vi.hoisted(() => ({
  silent: async (_request: SilentRequest): Promise<AuthorizationResult> => {
    throw new Error('no silent authorization was expected')
  },
  refresh: async (_request: RefreshTokens): Promise<TokenSet> => {
    throw new Error('no refresh was expected')
  },
  revoked: [] as string[],
  tokenUse: undefined as 'single-use' | undefined,
}))

vi.stubGlobal('navigator', { onLine: true })
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({
    ...OPERATOR,
    apis: OPERATOR.apis.map((api) => ({
      ...api,
      ...(answers.tokenUse && { tokenUse: answers.tokenUse }),
    })),
  }),
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
  revokeToken: async ({ token }: RevokeToken) => {
    answers.revoked.push(token)
  },
}))

const { MAX_VALID_TOKENS = 64, obtainAccessToken } = await import(
  '../../../../extension/background/tokens/token-renewal.ts'
)
const { endTokens } = await import('../../../../extension/background/grants/token-endings.ts')
const { findGrantIdsByTokens, readTokens, saveRecord, saveTokens } = await import(
  '../../../../extension/background/grants/token-records.ts'
)
const { getTokenInUse, setTokenInUse } = await import(
  '../../../../extension/background/grants/held-tokens.ts'
)
const { deleteGrant } = await import('../../../../extension/background/grants/grants.ts')
const { getFlowDpopKey } = await import('../../../../extension/background/clients/dpop.ts')
const { BrokerError, interactionRequired } = await import(
  '../../../../extension/background/platform/broker-error.ts'
)
const { computeSubjectHandle } = await import(
  '../../../../extension/background/grants/subject-handle.ts'
)
const { NorthkeyError } = await import('../../../../shared/core/index.ts')

/** A grant whose subscriber an ID token has identified. */
async function grantOfAlice(): Promise<GrantRecord> {
  const grant = grantRecord({ subscriber: 'identified' })
  return { ...grant, subject: await computeSubjectHandle(grant.issuer, 'alice', grant.origin) }
}

let silent = 0
beforeEach(() => {
  silent = 0
  answers.revoked = []
})

function whenSilent(answer: () => Promise<AuthorizationResult> | AuthorizationResult): void {
  answers.silent = async () => {
    silent += 1
    return answer()
  }
}

describe('a token of single use', () => {
  test('X01: twenty simultaneous calls get twenty different tokens, and all of them end', async () => {
    whenSilent(() => authorized({ singleUse: true, subject: 'alice' }))
    const grant = await grantOfAlice()
    const calls = Array.from({ length: 20 }, () => obtainAccessToken(grant, A.resource))
    const accessTokens = (await Promise.all(calls)).map(({ accessToken }) => accessToken)
    expect(new Set(accessTokens).size).toBe(20)
    expect(silent).toBe(20)
  })
})

describe('renewals of one grant', () => {
  test('that wait are few: a page that is gone causes no requests for hours', async () => {
    const words = Array.from({ length: 100 }, (_, index) => `w${index}`)
    const api = { ...A, scope: words.join(' ') }
    const grant = { ...(await grantOfAlice()), apis: [api] }
    whenSilent(() => authorized({ subject: 'alice', scope: api.scope }))
    const calls = words.map((scope) => obtainAccessToken(grant, A.resource, { scope }))
    const outcomes = await Promise.allSettled(calls)
    const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(silent).toBe(32)
    expect(rejected).toHaveLength(words.length - silent)
    for (const { reason } of rejected)
      expect(reason).toMatchObject({ code: ERROR_CODE.rateLimited })
    await obtainAccessToken(grant, A.resource, { scope: 'w99' })
    expect(silent).toBe(33)
  })
})

describe('C22, A02: a grant belongs to a single subscriber', () => {
  test('tokens of another subscriber are not taken, also after those of the grant ended with the browser', async () => {
    const grant = await grantOfAlice()
    whenSilent(() => authorized({ subject: 'bob' }))
    await expect(obtainAccessToken(grant, A.resource)).rejects.toMatchObject({
      data: { error: 'login_required' },
    })
    whenSilent(() => authorized({ subject: 'alice', accessToken: 'hers' }))
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('hers')
  })

  test('each silent authorization asks for an ID token, whatever scope the page wants', async () => {
    const api = { ...A, scope: 'openid a' }
    const grant = { ...(await grantOfAlice()), apis: [api] }
    const requests: SilentRequest[] = []
    answers.silent = async (request) => {
      requests.push(request)
      return authorized({ subject: 'alice' })
    }
    await obtainAccessToken(grant, A.resource, { scope: 'a' })
    expect(requests).toEqual([
      expect.objectContaining({ idToken: true, apis: [{ ...api, scope: 'a' }] }),
    ])
  })

  test('tokens without an ID token are not taken but revoked', async () => {
    const grant = await grantOfAlice()
    whenSilent(() => authorized({ accessToken: 'of nobody' }))
    await expect(obtainAccessToken(grant, A.resource)).rejects.toMatchObject({
      code: ERROR_CODE.untrustedResponse,
      data: { error: 'invalid_id_token' },
    })
    expect(await readTokens(grant.grantId)).toBeUndefined()
    expect(answers.revoked).toEqual(['of nobody'])
  })

  test('a grant whose subscriber was never identified is not renewed by a session at the operator', async () => {
    whenSilent(() => authorized({ subject: 'alice' }))
    await expect(obtainAccessToken(grantRecord(), A.resource)).rejects.toMatchObject({
      data: { error: 'interaction_required' },
    })
    expect(silent).toBe(0)
  })

  test('nor after its refresh token is refused', async () => {
    const grant = grantRecord()
    const expiring = { expiresAtMs: Date.now(), refreshToken: 'r' }
    await saveTokens(grant, grant.grantId, A.resource, authorized(expiring))
    answers.refresh = async () => {
      throw new NorthkeyError('authorization_server_error', 'refused', { error: 'invalid_grant' })
    }
    whenSilent(() => authorized())
    await expect(obtainAccessToken(grant, A.resource)).rejects.toMatchObject({
      data: { error: 'interaction_required' },
    })
    expect(silent).toBe(0)
  })

  test('a refresh with an ID token of another subscriber ends all tokens of the grant', async () => {
    const grant = await grantOfAlice()
    const claims = { iss: grant.issuer, sub: 'alice' } as IdTokenClaims
    const expiring = {
      accessToken: 'hers',
      expiresAtMs: Date.now(),
      refreshToken: 'r',
      subject: 'alice',
      idTokenClaims: claims,
    }
    await saveTokens(grant, grant.grantId, A.resource, authorized(expiring))
    answers.refresh = async ({ idTokenClaims, onTokensRejected }) => {
      expect(idTokenClaims).toEqual(claims)
      await onTokensRejected?.(tokenSet({ accessToken: 'of bob', refreshToken: 'r of bob' }))
      throw new NorthkeyError('invalid_id_token', 'the ID token is for another subscriber')
    }
    answers.silent = async () => {
      throw interactionRequired('the operator has to ask')
    }
    await expect(obtainAccessToken(grant, A.resource)).rejects.toThrow('has to ask')
    expect(answers.revoked).toEqual(['r of bob'])
    expect(await readTokens(grant.grantId)).toBeUndefined()
  })
})

describe('a renewal that fails', () => {
  test('leaves no private key in the store', async () => {
    answers.silent = async ({ keyId, metadata }) => {
      await getFlowDpopKey(
        { ...OPERATOR, dpop: 'required' },
        metadata ?? authorized().metadata,
        keyId,
      )
      throw interactionRequired('the operator has to ask')
    }
    const grant = await grantOfAlice()
    for (let time = 0; time < 3; time++) {
      await expect(obtainAccessToken(grant, A.resource)).rejects.toThrow('has to ask')
    }
    expect(await keys(createStore('northkey-keys', 'keys'))).toEqual([])
  })

  test('C18: after the revocation of its grant stores no token', async () => {
    const grant = grantRecord()
    const expiring = { accessToken: 'old', expiresAtMs: Date.now(), refreshToken: 'r' }
    await saveTokens(grant, grant.grantId, A.resource, authorized(expiring))
    let loseAnswer = () => {}
    const refreshing = new Promise<void>((resolve) => {
      answers.refresh = () =>
        new Promise((_, reject) => {
          loseAnswer = () => reject(new NorthkeyError('network_error', 'the answer is lost'))
          resolve()
        })
    })
    const call = obtainAccessToken(grant, A.resource)
    const rejection = expect(call).rejects.toThrow()
    await refreshing
    await deleteGrant(grant)
    await endTokens(grant)
    loseAnswer()
    await rejection
    expect(await findGrantIdsByTokens(new Set(['old']))).toEqual(new Map())
  })
})

test('RFC 8707 section 2.2: a refresh token serves every API of its grant', async () => {
  const grant = grantRecord({ apis: [A, B] })
  const first = authorized({ resource: A.resource, refreshToken: 'r' })
  await saveTokens(grant, grant.grantId, A.resource, first)
  answers.refresh = async () => tokenSet({ accessToken: 'for B', scope: 'b', resource: B.resource })
  expect((await obtainAccessToken(grant, B.resource)).accessToken).toBe('for B')
})

describe('H04: a grant of two APIs whose authorization named no resource', () => {
  test('is refreshed for each API without resource, with the scopes of the other API left out', async () => {
    const grant = grantRecord({ apis: [A, B] })
    const scope = 'a b offline_access'
    await saveTokens(grant, grant.grantId, A.resource, authorized({ scope, refreshToken: 'r' }))
    const requests: RefreshTokens[] = []
    answers.refresh = async (request) => {
      requests.push(request)
      return tokenSet({ scope: 'b' })
    }
    await obtainAccessToken(grant, B.resource)
    expect(requests).toMatchObject([
      { scope: 'b', grantedScope: scope, apis: [A, B], resource: undefined },
    ])
  })

  test.each([undefined, 'a'])(
    'without refresh token has one token for both, for a call with the scope %j',
    async (scope) => {
      const grant = grantRecord({ apis: [A, B] })
      const tokens = { accessToken: 'for both', scope: 'a b' }
      await saveTokens(grant, grant.grantId, A.resource, authorized(tokens))
      expect((await obtainAccessToken(grant, A.resource, { scope })).accessToken).toBe('for both')
      const wanted = scope && { scope: 'b' }
      expect((await obtainAccessToken(grant, B.resource, wanted || {})).accessToken).toBe(
        'for both',
      )
      await deleteGrant(grant)
      await endTokens(grant)
      expect(answers.revoked).toEqual(['for both'])
    },
  )

  test('without refresh token asks the user for an API that the token does not cover', async () => {
    const grant = grantRecord({ apis: [A, B] })
    await saveTokens(grant, grant.grantId, A.resource, authorized({ scope: 'a' }))
    await expect(obtainAccessToken(grant, B.resource)).rejects.toMatchObject({
      data: { error: 'interaction_required' },
    })
  })
})

test('H04: a grant whose authorization named its resource names it in each refresh', async () => {
  const grant = grantRecord()
  const tokens = { resource: A.resource, refreshToken: 'r', expiresAtMs: Date.now() }
  await saveTokens(grant, grant.grantId, A.resource, authorized(tokens))
  let resource: string | undefined
  answers.refresh = async (request) => {
    resource = request.resource
    return tokenSet()
  }
  await obtainAccessToken(grant, A.resource)
  expect(resource).toBe(A.resource)
})

describe('a page that collects access tokens', () => {
  const words = [...'abcdefg']
  const scope = words.join(' ')
  /** Each subset of the scope, except the empty one: 127. */
  const subsets = Array.from({ length: 2 ** words.length - 1 }, (_, index) =>
    words.filter((_word, bit) => (index + 1) & (1 << bit)).join(' '),
  )
  const api = { ...A, scope }

  async function grantWithRefreshToken(): Promise<GrantRecord> {
    const grant = grantRecord({ apis: [api] })
    await saveTokens(grant, grant.grantId, A.resource, authorized({ scope, refreshToken: 'r' }))
    return grant
  }

  test('gets no more than the limit that are valid at once', async () => {
    const grant = await grantWithRefreshToken()
    answers.refresh = async ({ scope: wanted }) => tokenSet({ scope: wanted ?? '' })
    const outcomes: PromiseSettledResult<unknown>[] = []
    for (const subset of subsets) {
      const asked = obtainAccessToken(grant, A.resource, { scope: subset })
      outcomes.push(...(await Promise.allSettled([asked])))
    }
    const given = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(given).toHaveLength(MAX_VALID_TOKENS)
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: ERROR_CODE.rateLimited },
    })
  })

  test('leaves no expired token in the record', async () => {
    const grant = await grantWithRefreshToken()
    answers.refresh = async ({ scope: wanted }) =>
      tokenSet({ scope: wanted ?? '', expiresAtMs: Date.now() })
    for (const subset of subsets.slice(0, 5)) {
      await obtainAccessToken(grant, A.resource, { scope: subset })
    }
    expect(Object.keys((await readTokens(grant.grantId))?.tokens ?? {})).toHaveLength(2)
  })

  test('cannot keep one from its revocation by a renewal', async () => {
    const grant = await grantOfAlice()
    for (const accessToken of ['first', 'second', 'third']) {
      whenSilent(() => authorized({ subject: 'alice', accessToken }))
      await obtainAccessToken(grant, A.resource, { minValidityMs: 86_400_000 })
    }
    whenSilent(() => authorized({ subject: 'alice', accessToken: 'last', refreshToken: 'r' }))
    await obtainAccessToken(grant, A.resource, { minValidityMs: 86_400_000 })
    await deleteGrant(grant)
    await endTokens(grant)
    expect(answers.revoked.sort()).toEqual(['first', 'r', 'second', 'third'])
  })

  test('cannot renew fresh tokens without pause', async () => {
    const grant = await grantWithRefreshToken()
    let refreshes = 0
    answers.refresh = async ({ scope: wanted }) => {
      refreshes += 1
      return tokenSet({ scope: wanted ?? '' })
    }
    async function renewUntilLimited(): Promise<unknown> {
      for (let time = 0; time < 300; time++) {
        await obtainAccessToken(grant, A.resource, { minValidityMs: 86_400_000 })
      }
      return undefined
    }
    await expect(renewUntilLimited()).rejects.toMatchObject({ code: ERROR_CODE.rateLimited })
    expect(refreshes).toBeGreaterThanOrEqual(200)
    expect((await obtainAccessToken(grant, A.resource)).scope).toBe(scope)
  })
})

describe('the token in use', () => {
  test('is the token of the last call, also of several simultaneous calls', async () => {
    const api = { ...A, scope: 'a more' }
    const grant = grantRecord({ apis: [api], tokenType: 'DPoP' })
    const slots = { all: A.resource, one: `${A.resource} a` }
    await saveTokens(grant, grant.grantId, slots.all, authorized({ accessToken: 'all' }))
    const record = await readTokens(grant.grantId)
    if (!record) return expect.unreachable('a record')
    const { tokens } = record
    const token = Object.values(tokens)[0]
    if (!token) return expect.unreachable('a token')
    await saveRecord(grant, {
      ...record,
      tokens: { ...tokens, [slots.one]: { ...token, accessToken: 'one' } },
    })
    const rounds = [
      ['one', 'all'],
      ['all', 'one'],
      ['one', 'all', 'all'],
      ['all', 'one', 'one'],
    ]
    for (const given of rounds) {
      await Promise.all(given.map((accessToken) => setTokenInUse(grant, A.resource, accessToken)))
      expect(await getTokenInUse(grant, A.resource)).toBe(given.at(-1))
    }
  })
})

describe('an operator that wants the user', () => {
  const wantsUser = () =>
    new BrokerError(ERROR_CODE.interactionRequired, 'consent_required', 'the user has to consent')

  // Seen to fail without the pause: 50 attempts.
  test('is not asked again and again by a page that polls, until there is another authorization', async () => {
    const grant = await grantOfAlice()
    let attempts = 0
    answers.silent = async () => {
      attempts += 1
      throw wantsUser()
    }
    for (let time = 0; time < 50; time++) {
      await expect(obtainAccessToken(grant, A.resource)).rejects.toMatchObject({
        data: { error: 'consent_required' },
      })
    }
    expect(attempts).toBe(6)
    await saveTokens(grant, 'by the user', A.resource, authorized({ expiresAtMs: Date.now() - 1 }))
    answers.silent = async () => authorized({ subject: 'alice', accessToken: 'after the user' })
    expect((await obtainAccessToken(grant, A.resource)).accessToken).toBe('after the user')
  })
})

// Seen to fail when the profile is not asked: the second call gets the first token again.
test('an API whose profile says single-use gets another token for each call', async () => {
  const grant = await grantOfAlice()
  answers.tokenUse = 'single-use'
  onTestFinished(() => {
    answers.tokenUse = undefined
  })
  let count = 0
  answers.silent = async () => authorized({ subject: 'alice', accessToken: `token ${++count}` })
  const call = async () => (await obtainAccessToken(grant, A.resource)).accessToken
  expect([await call(), await call()]).toEqual(['token 1', 'token 2'])
})
