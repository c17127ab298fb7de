/**
 * The cache of access tokens: a hit reads no record. It is given to the same origin and for the same request
 * alone, and while nothing has changed. A change invalidates the cache before the change is written.
 *
 * Seen to fail when: `bumpStateVersion` is not called at the end of a grant, or at a change of a token record, of
 * the operators or of the sites; the origin is not part of the key, or text of the page can be read as the
 * end of the origin; parameters may stand beside a key; the expiry of the token or of the grant, or the
 * minute, is not checked; a call that may open a window, or that is sent again, gets a hit; and hits are not
 * counted by the rate limit or not logged.
 */

import 'fake-indexeddb/auto'
import { storage } from '../../support/fake-browser.ts'

const policy = vi.hoisted(() => ({ sendChange: (_changes: object, _area: string) => {} }))
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => {
  const { storage: store } = await import('../../support/fake-browser.ts')
  vi.spyOn(store.onChanged, 'addListener').mockImplementation(((
    listener: typeof policy.sendChange,
  ) => {
    policy.sendChange = listener
  }) as never)
  const { OPERATOR: operator } = await import('../../support/operator.ts')
  return {
    ...(await original<object>()),
    findOperator: async () => operator,
    findApplication: () => true,
  }
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { endGrant } from '../../../../extension/background/grants/end-grant.ts'
import {
  deleteGrant,
  type GrantRecord,
  saveGrant,
} from '../../../../extension/background/grants/grants.ts'
import {
  dropAccessToken,
  saveTokens,
} from '../../../../extension/background/grants/token-records.ts'
import { getAccessToken } from '../../../../extension/background/methods/get-access-token.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import {
  addOperator,
  removeOperator,
} from '../../../../extension/background/operators/operators.ts'
import { handlePageRequest } from '../../../../extension/background/page/page-router.ts'
import { tryTakeCall } from '../../../../extension/background/page/rate-limit.ts'
import { log } from '../../../../extension/background/platform/log.ts'
import { getStateVersion } from '../../../../extension/background/platform/state-version.ts'
import { addSite, removeSite } from '../../../../extension/background/sites/sites.ts'
import type { UnverifiedPageRequest } from '../../../../shared/messages/broker-channel.ts'
import type { AccessToken, GetAccessTokenParams } from '../../../../shared/messages/page-api.ts'
import { deduplicationKey } from '../../../../shared/messages/request-deduplication.ts'
import { A, authorized, grantRecord, newOrigin } from '../../support/operator.ts'
import { OPERATOR as OTHER_OPERATOR } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const METHOD = 'northbound_getAccessToken'
const MINUTE_MS = 60_000
const NEW_ISSUER = 'https://new.example'

let grant: GrantRecord
let token: string

/** Calls the method itself. The router would reject the call, since the site is off in these tests. */
function callMethod(params: GetAccessTokenParams = {}): Promise<AccessToken> {
  const key = deduplicationKey(METHOD, params, JSON.stringify)
  const call = { origin: grant.origin, key, signal: new AbortController().signal } as Call
  return getAccessToken(call, params)
}

/** The answer of the router in the same task, which comes from the cache. */
function cachedAnswer(
  origin: string,
  request: Partial<UnverifiedPageRequest>,
): AccessToken | undefined {
  const rest = { id: 1, attempt: 0, method: METHOD, params: undefined }
  const answer = handlePageRequest(
    { origin, tabId: 1, documentId: 'document' },
    crypto.randomUUID(),
    { ...rest, userActivation: false, visible: true, ...request },
    () => {},
  )
  if (answer instanceof Promise) return undefined
  return 'result' in answer ? (answer.result as AccessToken) : undefined
}

/** The cached answer to a request in the form in which the provider sends it. */
function repeatCall(
  params: unknown = {},
  { origin = grant.origin, method = METHOD, attempt = 0 } = {},
) {
  const key = deduplicationKey(method, params, JSON.stringify)
  return cachedAnswer(origin, { attempt, method, key, params: key ? undefined : params })
}

async function saveToken(members: Parameters<typeof authorized>[0] = {}): Promise<void> {
  const result = authorized({ expiresAtMs: Date.now() + 600_000, ...members })
  token = result.tokens.accessToken
  await saveTokens(grant, grant.grantId, A.resource, result)
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  await storage.session.set({ session: 'session' })
  grant = grantRecord()
  await saveGrant(grant)
  await saveToken()
  await callMethod()
})
afterEach(async () => {
  vi.useRealTimers()
  await deleteGrant(grant)
})

test('an equal request gets the same answer from the cache', async () => {
  expect(repeatCall()).toEqual(await callMethod())
  expect(repeatCall()?.accessToken).toBe(token)
})

test('an answer that the router gave is in the cache for the next equal request', async () => {
  // Loopback is on from the start in a development build.
  const origin = 'http://localhost:7000'
  grant = grantRecord({ origin })
  await saveGrant(grant)
  await saveToken()
  const request = { method: METHOD, key: `${METHOD}{}`, params: undefined }
  expect(cachedAnswer(origin, request)).toBeUndefined()
  await vi.waitFor(() => expect(cachedAnswer(origin, request)?.accessToken).toBe(token), WITHIN_MS)
})

describe('there is no cache hit', () => {
  test('for another origin, for another request, and where a window may open', async () => {
    await callMethod({ interactive: 'ifNeeded' })
    expect(repeatCall({}, { origin: newOrigin() })).toBeUndefined()
    expect(repeatCall({ minValiditySeconds: 1 })).toBeUndefined()
    expect(repeatCall({ interactive: 'ifNeeded' })).toBeUndefined()
    expect(repeatCall({}, { method: 'northbound_getGrants' })).toBeUndefined()
    expect(repeatCall([])).toBeUndefined()
  })

  test.each([1, 3])(
    'C01: for an origin that is a prefix of the cached origin, with any key: %i',
    (length) => {
      const key = `${METHOD}{}`
      const shorter = grant.origin.slice(0, -length)
      const suffix = grant.origin.slice(-length)
      const find = (origin: string, key: string, params?: unknown) =>
        cachedAnswer(origin, { key, params })
      expect(find(grant.origin, key)?.accessToken).toBe(token)
      for (const separator of ['', ' ', '\n', '\0']) {
        expect(find(shorter, suffix + separator + key)).toBeUndefined()
        expect(find(shorter, separator + suffix + separator + key)).toBeUndefined()
      }
      expect(find(grant.origin, key, { scope: 'x' })).toBeUndefined()
    },
  )

  test('for a call that is sent again', () => {
    expect(repeatCall({}, { attempt: 1 })).toBeUndefined()
  })

  const events: [string, () => unknown][] = [
    ['the grant ends', () => endGrant(grant, 'user')],
    ['the grant is written', () => saveGrant(grant)],
    ['the API rejects the token', () => dropAccessToken(grant.grantId, A.resource, token)],
    ['another token is stored', () => saveToken()],
    [
      'an operator is imported',
      () => addOperator(JSON.stringify({ ...OTHER_OPERATOR, issuer: NEW_ISSUER })),
    ],
    ['an operator is removed', () => removeOperator(NEW_ISSUER)],
    ['policy changes', () => policy.sendChange({}, 'managed')],
    ['a site is switched on', () => addSite('https://site.example')],
    ['a site is switched off', () => removeSite('https://site.example')],
  ]
  test.each(events)('after %s', async (_, event) => {
    expect(repeatCall()?.accessToken).toBe(token)
    await event()
    expect(repeatCall()).toBeUndefined()
  })

  test('C18: while a grant ends, before its end is written', async () => {
    const ending = deleteGrant(grant)
    expect(repeatCall()).toBeUndefined()
    await ending
  })

  test('while a token is dropped, before the change is written', async () => {
    const dropping = dropAccessToken(grant.grantId, A.resource, token)
    await Promise.resolve()
    await vi.waitFor(() => expect(repeatCall()).toBeUndefined(), WITHIN_MS)
    await dropping
  })

  test('after a minute, with a clock that was set back, and shortly before the token expires', async () => {
    const start = Date.now()
    vi.setSystemTime(start + MINUTE_MS)
    expect(repeatCall()?.accessToken).toBe(token)
    vi.setSystemTime(start + MINUTE_MS + 1)
    expect(repeatCall()).toBeUndefined()
    vi.setSystemTime(start - MINUTE_MS)
    expect(repeatCall()).toBeUndefined()

    vi.setSystemTime(start)
    await saveToken({ expiresAtMs: start + 50_000 })
    await callMethod()
    await callMethod({ minValiditySeconds: 40 })
    expect(repeatCall({ minValiditySeconds: 40 })?.accessToken).toBe(token)
    vi.setSystemTime(start + 10_001)
    expect(repeatCall()?.accessToken).toBe(token)
    expect(repeatCall({ minValiditySeconds: 40 })).toBeUndefined()
    // The margin of 50 s is a quarter of them.
    vi.setSystemTime(start + 37_501)
    expect(repeatCall()).toBeUndefined()
  })

  test('after the grant has expired', async () => {
    await saveGrant({ ...grant, lifetime: 'once', expiresAt: Date.now() + 10_000 })
    await callMethod()
    expect(repeatCall()?.accessToken).toBe(token)
    vi.setSystemTime(Date.now() + 10_001)
    expect(repeatCall()).toBeUndefined()
  })

  test('for a token of single use', async () => {
    await saveToken({ singleUse: true })
    await callMethod()
    expect(repeatCall()).toBeUndefined()
  })

  test('for an origin above the rate limit', () => {
    while (tryTakeCall(grant.origin));
    expect(repeatCall()).toBeUndefined()
  })
})

test('the rate limit counts each hit, and the log coalesces the hits in one entry', async () => {
  await log.clear()
  const before = getStateVersion()
  let times = 0
  while (times < 10_000 && repeatCall()) times += 1
  expect(times).toBeLessThan(10_000)
  expect(times).toBeGreaterThan(100)
  expect(getStateVersion()).toBe(before)
  const entries = (await log.read()).filter(({ event }) => event === 'token')
  expect(entries).toMatchObject([
    { event: 'token', outcome: 'given to the site', origin: grant.origin, times },
  ])
})
