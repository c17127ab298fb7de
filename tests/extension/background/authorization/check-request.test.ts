/**
 * Tests what is known before the user is asked: a request that cannot succeed gets its error in place of the consent
 * window, and no client is registered for it.
 *
 * Seen to fail before the check existed: the consent window opened for each of them.
 */

import 'fake-indexeddb/auto'
import { seen, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/limits.ts', async (original) => ({
  ...(await original<object>()),
  METADATA_WAIT_MS: 100,
}))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => state.operator,
}))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { connect } from '../../../../extension/background/methods/connect.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../../shared/messages/page-api.ts'
import { METADATA } from '../../support/operator.ts'
import { ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const state = vi.hoisted(() => ({ operator: {} as OperatorProfile }))
const [API] = OPERATOR.apis.map(({ resource }): ApiAccess => ({ resource, scope: 'qos:create' }))
const AT_ISSUER = {
  ...METADATA,
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
}

type Answer = () => Promise<Response>
const answerWith =
  (metadata: object): Answer =>
  async () =>
    Response.json(metadata)
const notFound: Answer = async () => new Response('', { status: 404 })

let requests: string[]
let answer: Answer

beforeEach(async () => {
  state.operator = OPERATOR
  requests = []
  answer = answerWith(AT_ISSUER)
  vi.stubGlobal('fetch', async (url: string) => {
    requests.push(url)
    return answer()
  })
  seen.tabs = []
  await storage.session.clear()
})

/** Connects in a click. @returns The error, or `consent` once the window of the broker is there. */
async function attempt(apis = [API] as ApiAccess[], more: object = {}): Promise<unknown> {
  const page = new AbortController()
  const call: Call = {
    origin: ORIGIN,
    tabId: 1,
    documentId: 'document',
    key: undefined,
    requestId: crypto.randomUUID(),
    calledAtMs: Date.now(),
    userActivation: true,
    visible: true,
    signal: page.signal,
    deliver: () => {},
  }
  const failing = connect(call, { issuer: ISSUER, apis, ...more }).catch((error: unknown) => error)
  const asked = vi.waitFor(() => {
    if (!seen.tabs.some(({ url }) => url.includes('/ui/consent/'))) throw new Error('no window')
    return 'consent'
  }, WITHIN_MS)
  const first = await Promise.race([failing, asked])
  page.abort()
  asked.catch(() => {})
  await failing
  return first
}

const expectUnasked = () => expect(seen.tabs).toEqual([])

describe('F07: before anybody is asked', () => {
  test('a request that may succeed opens the consent window', async () => {
    expect(await attempt()).toBe('consent')
  })

  test('a server without S256 is refused', async () => {
    answer = answerWith({ ...AT_ISSUER, code_challenge_methods_supported: ['plain'] })
    expect(await attempt()).toMatchObject({
      code: 4300,
      message: expect.stringContaining('"metadata" of the operator profile'),
    })
    expectUnasked()
  })

  test('a server without metadata is refused', async () => {
    answer = notFound
    expect(await attempt()).toMatchObject({ code: 4300 })
    expectUnasked()
  })

  test('a server whose metadata name another server is refused', async () => {
    answer = answerWith({ ...AT_ISSUER, token_endpoint: 'https://elsewhere.example/token' })
    expect(await attempt()).toMatchObject({ code: 4300 })
    expectUnasked()
  })

  test('a CAMARA request without a purpose is refused, without a request to the server', async () => {
    state.operator = { ...OPERATOR, profile: 'camara' }
    expect(await attempt()).toMatchObject({
      code: 'invalid_params',
      message: expect.stringContaining('"purpose"'),
    })
    expectUnasked()
    expect(requests).toEqual([])
  })

  test('a server that cannot register a client is refused', async () => {
    state.operator = { ...OPERATOR, applications: [], onboarding: 'dynamic' }
    expect(await attempt()).toMatchObject({
      code: 4310,
      message: expect.stringContaining('"registration_endpoint"'),
    })
    expectUnasked()
  })

  test('a client document that does not name the redirect URI is refused', async () => {
    state.operator = {
      ...OPERATOR,
      applications: [],
      onboarding: 'client_id_metadata_document',
    }
    const clientId = `${ORIGIN}/client.json`
    answer = async () =>
      requests.at(-1) === clientId
        ? Response.json({ client_id: clientId, redirect_uris: ['https://other.example/'] })
        : Response.json(AT_ISSUER)
    expect(await attempt([API] as ApiAccess[], { clientId })).toMatchObject({ code: 4300 })
    expectUnasked()
  })
})

describe('F07: the user is asked all the same', () => {
  test('where the server cannot be reached: it may be back when the user has allowed', async () => {
    answer = async () => {
      throw new TypeError('offline')
    }
    expect(await attempt()).toBe('consent')
  })

  test('where the server hangs', async () => {
    answer = () => new Promise(() => {})
    expect(await attempt()).toBe('consent')
  })
})
