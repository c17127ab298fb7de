/**
 * Tokens of a grant: who gets which, and what is left when a renewal fails. The operator is a double
 * that answers what each test says; the stores are real, on an in-memory IndexedDB.
 *
 * Seen to fail: with the renewal taken off the list only by its first caller, the first test never ends;
 * with the subscriber compared to the token record, the third; without `deleteKey` in `renewAccessToken`, the fifth.
 */

import 'fake-indexeddb/auto'
import { createStore, keys } from 'idb-keyval'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { SilentRequest } from '../../../../extension/background/authorization/silent-authorization.ts'
import type { AuthorizationResult } from '../../../../extension/background/grants/authorization-result.ts'
import type { TokenSet } from '../../../../shared/core/index.ts'
import { A, authorized, B, grantRecord, OPERATOR, soon, tokenSet } from '../../support/operator.ts'

const answers = vi.hoisted(() => ({
  silent: async (_request: SilentRequest): Promise<AuthorizationResult> => {
    throw new Error('no silent authorization was expected')
  },
  refresh: async (): Promise<TokenSet> => {
    throw new Error('no refresh was expected')
  },
}))

vi.stubGlobal('navigator', { onLine: true })
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => OPERATOR,
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
  refreshTokens: () => answers.refresh(),
  revokeToken: async () => {},
}))

const { accessTokenOf } = await import('../../../../extension/background/tokens/token-renewal.ts')
const { endTokens, findGrantIdByToken, saveTokens, getScopeInUse, setScopeInUse } = await import(
  '../../../../extension/background/grants/token-records.ts'
)
const { deleteGrant } = await import('../../../../extension/background/grants/grants.ts')
const { getFlowDpopKey } = await import('../../../../extension/background/clients/dpop.ts')
const { interactionRequired } = await import(
  '../../../../extension/background/platform/broker-error.ts'
)
const { computeSubjectHandle } = await import(
  '../../../../extension/background/grants/subject-handle.ts'
)
const { NorthkeyError } = await import('../../../../shared/core/index.ts')

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let silent = 0
beforeEach(() => {
  silent = 0
})

function whenSilent(answer: () => Promise<AuthorizationResult> | AuthorizationResult): void {
  answers.silent = async () => {
    silent += 1
    return answer()
  }
}

describe('a token that serves one call', () => {
  test('X01: twenty callers at once each get one of their own, and the worker goes on', async () => {
    whenSilent(async () => {
      await pause(5)
      return authorized({ singleUse: true })
    })
    const grant = grantRecord()
    const calls = Array.from({ length: 20 }, () => accessTokenOf(grant, A.resource))
    const tokens = await soon(Promise.all(calls))
    expect(new Set(tokens === 'hangs' ? [] : tokens.map((one) => one.accessToken)).size).toBe(20)
    expect(silent).toBe(20)
  })
})

describe('C22: a grant is one subscriber’s', () => {
  test('also when its tokens have ended with the browser: another one’s are not taken', async () => {
    const grant = grantRecord()
    const alices = {
      ...grant,
      subject: await computeSubjectHandle(grant.issuer, 'alice', grant.origin),
    }
    whenSilent(() => authorized({ subject: 'bob' }))
    await expect(accessTokenOf(alices, A.resource)).rejects.toMatchObject({
      data: { error: 'login_required' },
    })
    whenSilent(() => authorized({ subject: 'alice', accessToken: 'hers' }))
    expect((await accessTokenOf(alices, A.resource)).accessToken).toBe('hers')
  })

  test('where the operator named nobody at first, the grant goes on', async () => {
    const grant = grantRecord()
    const nobodys = {
      ...grant,
      subject: await computeSubjectHandle(grant.issuer, grant.grantId, grant.origin),
    }
    whenSilent(() => authorized({ subject: 'alice' }))
    await expect(accessTokenOf(nobodys, A.resource)).resolves.toMatchObject({ scope: 'a' })
  })
})

describe('a renewal that fails', () => {
  test('leaves no private key behind', async () => {
    answers.silent = async ({ keyId, metadata }) => {
      await getFlowDpopKey(
        { ...OPERATOR, dpop: 'required' },
        metadata ?? authorized().metadata,
        keyId,
      )
      throw interactionRequired('the operator has to ask')
    }
    const grant = grantRecord()
    for (let time = 0; time < 3; time++) {
      await expect(accessTokenOf(grant, A.resource)).rejects.toThrow('has to ask')
    }
    expect(await keys(createStore('northkey-keys', 'keys'))).toEqual([])
  })

  test('C18: after the grant was revoked brings nothing back', async () => {
    const grant = grantRecord()
    const expiring = { accessToken: 'old', expiresAtMs: Date.now() + 1_000, refreshToken: 'r' }
    await saveTokens(grant, grant.grantId, A.resource, authorized(expiring))
    answers.refresh = async () => {
      await pause(50)
      throw new NorthkeyError('network_error', 'the answer is lost')
    }
    const call = accessTokenOf(grant, A.resource)
    const refused = expect(call).rejects.toThrow()
    await pause(10)
    await deleteGrant(grant)
    await endTokens(grant)
    await refused
    expect(await findGrantIdByToken('old')).toBeUndefined()
  })
})

test('RFC 8707 section 2.2: a refresh token serves every API of its grant', async () => {
  const grant = grantRecord({ apis: [A, B] })
  const first = authorized({ resource: A.resource, refreshToken: 'r' })
  await saveTokens(grant, grant.grantId, A.resource, first)
  answers.refresh = async () => tokenSet({ accessToken: 'for B', scope: 'b', resource: B.resource })
  expect((await accessTokenOf(grant, B.resource)).accessToken).toBe('for B')
})

describe('the scope that a page asked for last', () => {
  test('is that of the last call, also of several at once', async () => {
    const api = { ...A, scope: 'a more' }
    const grant = grantRecord({ apis: [api] })
    await saveTokens(grant, grant.grantId, A.resource, authorized({ scope: 'a more' }))
    const rounds = [
      ['a', 'a more'],
      ['a more', 'a'],
      ['a', 'a more', 'a more'],
      ['a more', 'a', 'a'],
    ]
    for (const scopes of rounds) {
      await Promise.all(scopes.map((scope) => setScopeInUse(grant, api, scope)))
      expect(await getScopeInUse(grant, api)).toBe(scopes.at(-1))
    }
  })
})
