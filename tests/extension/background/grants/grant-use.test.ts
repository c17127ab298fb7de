/**
 * A10: a call does not outlive its grant. Each kind of use is in flight when its grant ends, in each way in
 * which a grant can end. The calls take the way of a page's call, through the router; the API, the token
 * endpoint and the operator's sign-in are doubles that do not answer.
 *
 * Seen to fail when:
 * - `runWithGrant` only runs its task: the held calls never end, and a response that comes after the end
 *   reaches the page;
 * - it does not judge the grant again, and a listener of it is missing (expiry, operator);
 * - the router aborts the calls of a switched-off site without the reason `no_grant`;
 * - `extendGrant` writes the record that the call read, `updateRecord` does not ask whether the grant has
 *   ended, and `requireCurrentGrant` returns the grant that it gets.
 */

import 'fake-indexeddb/auto'
import { createStore, keys } from 'idb-keyval'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { PART_BYTES } from '../../../../extension/background/api-calls/response-body.ts'
import type { UnverifiedPageRequest } from '../../../../shared/messages/broker-channel.ts'
import type { Outcome } from '../../../../shared/messages/document-channel.ts'
import { seen } from '../../support/fake-browser.ts'
import { A, authorized, ISSUER, METADATA, OPERATOR } from '../../support/operator.ts'
import { flowOf, grantOf } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

vi.stubGlobal('navigator', { onLine: true })
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

const net = vi.hoisted(() => ({
  /** Answers of the API; a request beyond them is never answered. */
  answers: [] as ((signal: AbortSignal) => Response)[],
  requests: 0,
  aborted: 0,
  refreshes: 0,
}))

vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  refreshTokens() {
    net.refreshes += 1
    return new Promise(() => {})
  },
  revokeToken: async () => {},
}))

vi.stubGlobal('fetch', async (url: string, { signal }: { signal: AbortSignal }) => {
  if (url.includes('/.well-known/')) {
    return Response.json(METADATA, { headers: { 'content-type': 'application/json' } })
  }
  if (!url.startsWith(A.resource)) throw new TypeError('closed')
  net.requests += 1
  const answer = net.answers.shift()
  if (answer) return answer(signal)
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      net.aborted += 1
      reject(signal.reason)
    })
  })
})

const { handlePageRequest, abortPageRequest } = await import(
  '../../../../extension/background/page/page-router.ts'
)
const { flows } = await import('../../../../extension/background/authorization/flow-records.ts')
const { getFlowDpopKey } = await import('../../../../extension/background/clients/dpop.ts')
const { endGrant } = await import('../../../../extension/background/grants/end-grant.ts')
const { extendGrant, deleteGrant, getGrant, listGrants, saveGrant } = await import(
  '../../../../extension/background/grants/grants.ts'
)
const { endTokens } = await import('../../../../extension/background/grants/token-endings.ts')
const { dropAccessToken, saveTokens } = await import(
  '../../../../extension/background/grants/token-records.ts'
)
const { runHousekeeping } = await import(
  '../../../../extension/background/lifecycle/startup-cleanup.ts'
)
const { stopSite, useSite } = await import(
  '../../../../extension/background/lifecycle/site-changes.ts'
)
const { addOperator, removeOperator } = await import(
  '../../../../extension/background/operators/operators.ts'
)

const PROFILE = {
  ...OPERATOR,
  apis: [{ resource: A.resource, name: 'A', scopes: [{ scope: 'a' }, { scope: 'more' }] }],
}

type Grant = ReturnType<typeof grantOf>

let origins = 0

/** A site that is switched on, with an operator and a grant whose token is `fresh` or has to be renewed. */
async function start(more: Partial<Grant> = {}, token: 'fresh' | 'old' = 'fresh') {
  origins += 1
  const origin = `https://site-${origins}.example`
  await useSite(origin)
  const applications = [
    { clientId: 'client', name: 'App', origins: [origin], requireConsent: true },
  ]
  const added = await addOperator(JSON.stringify({ ...PROFILE, applications }))
  expect(added.reasons).toBeUndefined()
  const grant = grantOf({ origin, issuer: ISSUER, mode: 'token', apis: [A], ...more })
  await getFlowDpopKey({ ...OPERATOR, dpop: 'required' }, METADATA, grant.grantId)
  const expiresAtMs = Date.now() + (token === 'fresh' ? 600_000 : 0)
  const { tokenType } = grant
  await saveTokens(
    grant,
    grant.grantId,
    A.resource,
    authorized({ accessToken: 'given', tokenType, expiresAtMs, refreshToken: 'r' }),
  )
  await saveGrant(grant)
  return grant
}

const parts: ArrayBuffer[] = []
let requests = 0

function callerOf({ origin }: Grant) {
  return { origin, tabId: 1, documentId: 'document' }
}

function send(
  grant: Grant,
  method: string,
  params: object,
  more: Partial<UnverifiedPageRequest> = {},
) {
  requests += 1
  const request = { id: requests, attempt: 0, userActivation: true, visible: true, ...more }
  return Promise.resolve(
    handlePageRequest(callerOf(grant), `call ${requests}`, { ...request, method, params }, (part) =>
      parts.push(part),
    ),
  )
}

const url = `${A.resource}/x`
const waitFor = (isTrue: () => boolean) => vi.waitFor(() => expect(isTrue()).toBe(true), WITHIN_MS)
const isWindowOpen = () => seen.tabs.length > 0
/** A body that never ends. */
const stream = (signal: AbortSignal) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(PART_BYTES + 1))
        signal.addEventListener('abort', () => {
          net.aborted += 1
          controller.error(signal.reason)
        })
      },
    }),
  )
const stepUp = () =>
  new Response('', {
    status: 401,
    headers: {
      'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="gold"',
    },
  })
const widen = () =>
  new Response('', {
    status: 403,
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a more"' },
  })

interface Use {
  grant?: Partial<Grant>
  token?: 'old'
  answers?: (typeof net)['answers']
  begin(grant: Grant): Promise<Outcome>
  /** The use is in flight. */
  isHeld(): boolean
  /** What belongs to it ends too. */
  isEnded?(): boolean
}

const USES: Record<string, Use> = {
  'a call whose response is awaited': {
    begin: (grant) => send(grant, 'northbound_fetch', { url }),
    isHeld: () => net.requests === 1,
    isEnded: () => net.aborted === 1,
  },
  'a call whose body is arriving': {
    answers: [stream],
    begin: (grant) => send(grant, 'northbound_fetch', { url }),
    isHeld: () => parts.length === 1,
    isEnded: () => net.aborted === 1,
  },
  'a call whose token is renewed': {
    token: 'old',
    begin: (grant) => send(grant, 'northbound_fetch', { url }),
    isHeld: () => net.refreshes === 1,
    isEnded: () => net.requests === 0,
  },
  'an access token that is renewed': {
    token: 'old',
    begin: (grant) => send(grant, 'northbound_getAccessToken', {}),
    isHeld: () => net.refreshes === 1,
  },
  'equal requests for a token that is renewed': {
    token: 'old',
    async begin(grant) {
      const key = 'northbound_getAccessToken {}'
      const outcomes = await Promise.all(
        [1, 2, 3].map(() => send(grant, 'northbound_getAccessToken', {}, { key })),
      )
      expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1)
      return outcomes[0] as Outcome
    },
    isHeld: () => net.refreshes === 1,
  },
  'a proof for a token that is renewed': {
    grant: { tokenType: 'DPoP' },
    token: 'old',
    begin: (grant) => {
      const { grantId } = grant
      return send(grant, 'northbound_createProof', { grantId, htm: 'GET', htu: url })
    },
    isHeld: () => net.refreshes === 1,
  },
  'a step-up in a window': {
    answers: [stepUp],
    begin: (grant) => send(grant, 'northbound_fetch', { url, interactive: 'ifNeeded' }),
    isHeld: isWindowOpen,
    isEnded: () => !isWindowOpen(),
  },
  'a consent for more scope': {
    answers: [widen],
    begin: (grant) => send(grant, 'northbound_fetch', { url, interactive: 'ifNeeded' }),
    isHeld: isWindowOpen,
    isEnded: () => !isWindowOpen(),
  },
  'a connect that finds the grant and renews its token': {
    token: 'old',
    begin: (grant) =>
      send(grant, 'northbound_connect', { issuer: ISSUER, apis: [A], mode: 'token' }),
    isHeld: () => net.refreshes === 1,
    isEnded: () => !isWindowOpen(),
  },
}

const ENDS: Record<string, (grant: Grant) => Promise<unknown>> = {
  'the user disconnects': (grant) => endGrant(grant, 'user'),
  'the page revokes it': (grant) => send(grant, 'northbound_revoke', {}),
  'the network revokes it': (grant) => endGrant(grant, 'network', 'OVERLIMIT_USAGE'),
  'the operator is removed': ({ issuer }) => removeOperator(issuer),
  'the site is switched off': ({ origin }) => stopSite(origin),
  'it expires, and the alarm fires': async (grant) => {
    await saveGrant({ ...grant, expiresAt: 0 })
    await runHousekeeping()
  },
}

beforeEach(async () => {
  Object.assign(net, { answers: [], requests: 0, aborted: 0, refreshes: 0 })
  seen.tabs = []
  parts.length = 0
  await removeOperator(ISSUER)
})

const NO_GRANT = { error: { code: 4100, data: { error: 'no_grant' } } }

describe('A10: a use in flight ends with its grant', () => {
  const rows = Object.keys(USES).flatMap((use) => Object.keys(ENDS).map((end) => [use, end]))
  test.each(rows)('%s: %s', async (useName = '', endName = '') => {
    const use = USES[useName]
    if (!use) throw new Error('no such use')
    const grant = await start(use.grant, use.token)
    net.answers = [...(use.answers ?? [])]
    const outcome = use.begin(grant)
    await waitFor(use.isHeld)
    await ENDS[endName]?.(grant)
    expect(await outcome).toMatchObject(NO_GRANT)
    if (use.isEnded) await waitFor(use.isEnded)
    // The window of the operator or of the broker has closed, and its flow has ended.
    await vi.waitFor(async () => expect(await flows.all()).toEqual([]), WITHIN_MS)
  })

  test('a grant that expires while its call is in flight', async () => {
    const grant = await start({ expiresAt: Date.now() + 300 })
    expect(await send(grant, 'northbound_fetch', { url })).toMatchObject(NO_GRANT)
    expect(net).toMatchObject({ requests: 1, aborted: 1 })
  })

  test('an API that the operator does not offer any more', async () => {
    const grant = await start()
    const outcome = send(grant, 'northbound_fetch', { url })
    await waitFor(() => net.requests === 1)
    await removeOperator(ISSUER)
    await addOperator(JSON.stringify({ ...PROFILE, apis: [OPERATOR.apis[1]] }))
    expect(await outcome).toMatchObject(NO_GRANT)
  })
})

describe('A10: a result is judged before it is handed over', () => {
  test('a response that has arrived when the deletion of its grant begins', async () => {
    const grant = await start()
    net.answers = [
      () => {
        void deleteGrant(grant)
        return new Response('late')
      },
    ]
    expect(await send(grant, 'northbound_fetch', { url })).toMatchObject(NO_GRANT)
  })

  test('a cached token is not given while the deletion of its grant runs', async () => {
    const grant = await start()
    const params = { key: 'northbound_getAccessToken', params: undefined }
    const ask = () => send(grant, 'northbound_getAccessToken', {}, params)
    for (let time = 0; time < 3; time++) {
      expect(await ask()).toMatchObject({ result: { accessToken: 'given' } })
    }
    const deletion = deleteGrant(grant)
    expect(await listGrants(grant.origin)).toEqual([])
    expect(await ask()).toMatchObject(NO_GRANT)
    await deletion
  })

  test('the outcome of a flow that waited for its page', async () => {
    const grant = await start()
    const { origin } = grant
    const settled = async () => {
      const flow = flowOf({ origin, requestId: `call ${requests + 1}` })
      const outcome = { result: { ...grant } }
      await flows.set(flow.flowId, { ...flow, status: 'settled', outcome })
    }
    const resend = () => send(grant, 'northbound_connect', {}, { attempt: 1 })
    await settled()
    expect(await resend()).toMatchObject({ result: { grantId: grant.grantId } })
    await deleteGrant(grant)
    await settled()
    expect(await resend()).toMatchObject(NO_GRANT)
  })
})

describe('A10: what does not end', () => {
  test('a call whose grant is replaced by one that covers it, until that ends too', async () => {
    const former = await start()
    net.answers = [stream]
    const outcome = send(former, 'northbound_fetch', { url })
    await waitFor(() => parts.length === 1)
    const grant = { ...former, grantId: crypto.randomUUID() }
    await saveGrant(grant)
    await deleteGrant(former, grant.grantId)
    expect(net.aborted).toBe(0)
    await endGrant(grant, 'user')
    expect(await outcome).toMatchObject(NO_GRANT)
    expect(net.aborted).toBe(1)
  })

  test('a call of another grant, and a call of another site', async () => {
    const other = await start()
    net.answers = [stream]
    const outcome = send(other, 'northbound_fetch', { url })
    await waitFor(() => parts.length === 1)
    const grant = grantOf({ origin: other.origin, issuer: ISSUER, apis: [A] })
    await saveGrant(grant)
    await endGrant(grant, 'user')
    await stopSite('https://elsewhere.example')
    expect(net.aborted).toBe(0)
    abortPageRequest(callerOf(other), `call ${requests}`)
    expect(await outcome).toMatchObject({ error: { code: 4901 } })
  })
})

describe('A10: a late write does not undo the end of a grant, or its renewal', () => {
  test('a token that is dropped while the grant ends leaves no record', async () => {
    const grant = await start()
    for (let pauses = 0; pauses < 12; pauses++) {
      const next = { ...grant, grantId: crypto.randomUUID() }
      await saveTokens(next, next.grantId, A.resource, authorized({ accessToken: 'given' }))
      await saveGrant(next)
      const dropping = dropAccessToken(next.grantId, A.resource, 'given')
      for (let i = 0; i < pauses; i++) await Promise.resolve()
      await Promise.all([dropping, deleteGrant(next).then(() => endTokens(next))])
      expect(await keys(createStore('northkey-tokens', 'tokens'))).not.toContain(next.grantId)
    }
  })

  test('the extension of a grant keeps what a renewal has changed', async () => {
    const grant = await start({ lifetime: 'month', expiresAt: Date.now() + 3_600_000 })
    const narrower = { ...grant, apis: [{ ...A, scope: 'a' }], tokenType: 'DPoP' as const }
    await saveGrant(narrower)
    await extendGrant({ ...grant, apis: [{ ...A, scope: 'a more' }] })
    const extended = await getGrant(grant.origin, grant.grantId)
    expect(extended).toMatchObject({ apis: narrower.apis, tokenType: 'DPoP' })
    expect(extended.expiresAt).toBeGreaterThan(grant.expiresAt)
    const forADay = { ...narrower, lifetime: 'day' as const }
    await saveGrant(forADay)
    await extendGrant(grant)
    expect(await getGrant(grant.origin, grant.grantId)).toEqual(forADay)
  })
})
