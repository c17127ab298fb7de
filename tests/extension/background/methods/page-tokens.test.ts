/**
 * Access tokens in the hands of a page: proofs for the token that it holds, and renewal of a token that the API has
 * refused. The operator is a double that answers as the test defines; the stores are real, on an in-memory IndexedDB.
 *
 * Seen to fail, F02: when a proof is for the current token and not for the named one, when a renewal forgets the tokens
 * that it replaces or deletes their key, when any token is accepted, when a proof renews the token. F03: when `refused`
 * is not read, when the replacement is not marked, when a mark does not outlast the token, when an answer to `refused`
 * is cached.
 */

import 'fake-indexeddb/auto'
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { SilentRequest } from '../../../../extension/background/authorization/silent-authorization.ts'
import type { GrantRecord } from '../../../../extension/background/grants/grants.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import type { RefreshTokens, TokenSet } from '../../../../shared/core/index.ts'
import {
  type CreateProofParams,
  ERROR_CODE,
  type GetAccessTokenParams,
} from '../../../../shared/messages/page-api.ts'
import { A, authorized, grantRecord, OPERATOR, tokenSet } from '../../support/operator.ts'

const server = vi.hoisted(() => ({
  /** Number of tokens that the server has issued. */
  issued: 0,
  refresh: undefined as ((request: RefreshTokens) => Promise<TokenSet>) | undefined,
}))

vi.stubGlobal('navigator', { onLine: true })
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({ ...OPERATOR, onboarding: 'dynamic' }),
}))
vi.mock(
  '../../../../extension/background/authorization/silent-authorization.ts',
  async (original) => ({
    ...(await original<object>()),
    authorizeSilently: async ({ keyId }: SilentRequest) => {
      await createKey(keyId)
      return authorized({ ...nextToken(), subject: 'alice' })
    },
  }),
)
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  refreshTokens: async (request: RefreshTokens) => {
    if (server.refresh) return server.refresh(request)
    return tokenSet(nextToken())
  },
}))

const { saveGrant } = await import('../../../../extension/background/grants/grants.ts')
const { readTokens, saveTokens } = await import(
  '../../../../extension/background/grants/token-records.ts'
)
const { createKey, getKey } = await import('../../../../extension/background/clients/keys.ts')
const { computeSubjectHandle } = await import(
  '../../../../extension/background/grants/subject-handle.ts'
)
const { createProof } = await import('../../../../extension/background/methods/create-proof.ts')
const { getAccessToken } = await import(
  '../../../../extension/background/methods/get-access-token.ts'
)
const { findCachedAnswer } = await import(
  '../../../../extension/background/tokens/access-token-cache.ts'
)
const { NorthkeyError } = await import('../../../../shared/core/index.ts')

const nextToken = () => ({
  accessToken: `token ${++server.issued}`.replace(' ', '-'),
  tokenType: 'DPoP' as const,
})

beforeEach(() => {
  server.issued = 0
  server.refresh = undefined
})

const callOf = ({ origin }: GrantRecord, key?: string) =>
  ({ origin, key, signal: new AbortController().signal, userActivation: false }) as Call

interface Holder {
  grant: GrantRecord
  get(params?: GetAccessTokenParams): Promise<string>
  prove(more?: Partial<CreateProofParams>): Promise<Proof>
}

interface Proof {
  ath: string
  thumbprint: string
}

async function readProof(dpop: string): Promise<Proof> {
  const [header, payload] = dpop
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  return { ath: payload.ath, thumbprint: await calculateJwkThumbprint(header.jwk) }
}

const hashOf = (accessToken: string) => createHash('sha256').update(accessToken).digest('base64url')

/** A page with a grant in mode `token` whose tokens are bound to a key. */
async function startHolder(more: Partial<TokenSet> = {}): Promise<Holder> {
  const { origin, issuer, ...rest } = grantRecord({ tokenType: 'DPoP', subscriber: 'identified' })
  const subject = await computeSubjectHandle(issuer, 'alice', origin)
  const grant = { ...rest, origin, issuer, subject }
  const { grantId } = grant
  const keyId = crypto.randomUUID()
  await createKey(keyId)
  await saveGrant(grant)
  const idTokenClaims = { iss: issuer, sub: 'alice', aud: 'client', iat: 0, exp: 0 }
  const tokens = { ...nextToken(), idTokenClaims, subject: 'alice', ...more }
  await saveTokens(grant, keyId, A.resource, authorized(tokens))
  return {
    grant,
    async get(params) {
      return (await getAccessToken(callOf(grant), { grantId, ...params })).accessToken
    },
    async prove(params) {
      const request = { grantId, htm: 'GET', htu: `${A.resource}/x`, ...params }
      return readProof((await createProof(callOf(grant), request)).dpop)
    },
  }
}

const EARLY = { minValiditySeconds: 86_400 }

describe('F02: a proof is for the token that the page holds', () => {
  test('F02: names its token: also after another call has renewed it with the refresh token', async () => {
    const { get, prove } = await startHolder({ refreshToken: 'r' })
    const first = await get()
    const second = await get(EARLY)
    expect(second).not.toBe(first)
    expect((await prove({ accessToken: first })).ath).toBe(hashOf(first))
    expect((await prove({ accessToken: second })).ath).toBe(hashOf(second))
    expect(server.issued).toBe(2)
  })

  test('F02: and by the key of its token: also after an authorization with another key', async () => {
    const { get, prove, grant } = await startHolder()
    const first = await get()
    const before = await prove({ accessToken: first })
    const second = await get(EARLY)
    const after = await prove({ accessToken: first })
    expect(after).toEqual(before)
    expect(await prove({ accessToken: second })).not.toMatchObject({ thumbprint: after.thumbprint })
    const record = await readTokens(grant.grantId)
    expect(record?.superseded).toMatchObject([{ accessToken: first }])
  })

  test('F02: a key is deleted with the last token that is bound to it', async () => {
    const expiresAtMs = Date.now() + 300
    const { get, grant } = await startHolder({ expiresAtMs })
    const keyId = (await readTokens(grant.grantId))?.keyId ?? ''
    await get(EARLY)
    expect(await getKey(keyId)).toBeDefined()
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(expiresAtMs))
    await get(EARLY)
    expect(await getKey(keyId)).toBeUndefined()
  })

  test('F02: without a name the proof is for the token that the page got last, and renews nothing', async () => {
    const { get, prove } = await startHolder({ refreshToken: 'r' })
    const expiresAtMs = Date.now() + 200
    server.refresh = async () => tokenSet({ ...nextToken(), expiresAtMs })
    const second = await get(EARLY)
    expect((await prove()).ath).toBe(hashOf(second))
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(expiresAtMs))
    expect((await prove()).ath).toBe(hashOf(second))
    expect(server.issued).toBe(2)
  })

  test.each([
    ['of nobody', async () => 'foreign'],
    ['of another grant', async () => (await startHolder()).get()],
  ])('F02: no proof for a token %s', async (_title, foreign) => {
    const { prove } = await startHolder()
    await expect(prove({ accessToken: await foreign() })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringMatching(/^accessToken: expected /),
    })
  })
})

describe('F03: a token that the API has refused', () => {
  test('F03: is renewed once; its replacement, refused too, is the error 4210 until there is another authorization', async () => {
    const { get, grant } = await startHolder({ refreshToken: 'r' })
    const first = await get()
    const second = await get({ refused: first })
    expect([first, second]).toEqual(['token-1', 'token-2'])
    // Other parts of the page report the same token later.
    expect(await get({ refused: first })).toBe(second)
    expect(await get()).toBe(second)
    await expect(get({ refused: second })).rejects.toMatchObject({
      code: 4210,
      data: { error: 'interaction_required' },
    })
    await expect(get()).rejects.toMatchObject({ code: 4210 })
    expect(server.issued).toBe(2)
    const keyId = crypto.randomUUID()
    await createKey(keyId)
    await saveTokens(grant, keyId, A.resource, authorized({ ...nextToken(), refreshToken: 'r' }))
    expect(await get({ refused: second })).toBe('token-3')
    expect(await get({ refused: 'token-3' })).toBe('token-4')
  })

  test('F03: many reports of one token at once cause one renewal', async () => {
    const { get } = await startHolder({ refreshToken: 'r' })
    const refused = await get()
    const tokens = await Promise.all(Array.from({ length: 50 }, () => get({ refused })))
    expect(new Set(tokens)).toEqual(new Set(['token-2']))
    expect(server.issued).toBe(2)
  })

  test('F03: that the server issues once more is refused once more', async () => {
    const { get } = await startHolder({ refreshToken: 'r' })
    const refused = await get()
    server.refresh = async () => tokenSet({ accessToken: refused, tokenType: 'DPoP' })
    expect(await get({ refused })).toBe(refused)
    await expect(get({ refused })).rejects.toMatchObject({ code: 4210 })
  })

  test('F03: a replacement that has served is renewed at its end, and a later token may be refused once again', async () => {
    const { get } = await startHolder({ refreshToken: 'r' })
    const second = await get({ refused: await get() })
    const third = await get(EARLY)
    expect(third).not.toBe(second)
    expect(await get({ refused: third })).toBe('token-4')
  })

  test('F03: that no renewal replaces is the error of the operator, and no other token', async () => {
    const { get } = await startHolder({ refreshToken: 'r' })
    const refused = await get()
    server.refresh = async () => {
      throw new NorthkeyError('timeout', 'no answer')
    }
    await expect(get({ refused })).rejects.toMatchObject({ code: ERROR_CODE.unreachable })
    server.refresh = undefined
    expect(await get()).not.toBe(refused)
  })

  test('F03: a token that the grant does not have changes nothing', async () => {
    const { grant, get } = await startHolder({ refreshToken: 'r' })
    const token = await get()
    expect(await get({ refused: 'foreign' })).toBe(token)
    expect(server.issued).toBe(1)
    // Nor is the answer to it one that the next report gets without being heard.
    const key = 'northbound_getAccessToken{"refused":"foreign"}'
    await getAccessToken(callOf(grant, key), { refused: 'foreign' })
    expect(findCachedAnswer(grant.origin, key)).toBeUndefined()
    await getAccessToken(callOf(grant, 'northbound_getAccessToken{}'), {})
    expect(findCachedAnswer(grant.origin, 'northbound_getAccessToken{}')).toBeDefined()
  })
})
