/**
 * Tests authorizations without a window of two operators, of which one hangs at a step. The core and the queue are
 * real; the operators are a double of `fetch` and of `launchWebAuthFlow`.
 *
 * Seen to fail when the queue is held over metadata, PAR and token requests (A08, three rows), when the wait has no
 * limit, without the back-off, when the browser gets no time limit of its own, and when an answer just before the
 * time limit costs its operator no turn.
 */

import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SilentRequest } from '../../../../extension/background/authorization/silent-authorization.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

const ATTEMPT_MS = 15_000
const TURN_MS = 20_000

type Step = 'metadata' | 'par' | 'authorize' | 'token'

/** Step at which an operator hangs, by its host. */
const hangs = new Map<string, Step>()
/** Host and step of each request. */
let requests: string[] = []
let launched: { timeoutMsForNonInteractive?: number }[] = []
/** Ends the attempts that hang in the browser. */
let endHanging: (() => void)[] = []
let isOccupied = false
/** Time that the late operator takes for an attempt, in milliseconds, and whether it has a code then. */
let answerMs = 0
let isAnswered = true

function createProfile(host: string): OperatorProfile {
  const issuer = `https://${host}`
  return {
    issuer,
    name: host,
    profile: 'oauth',
    pushedAuthorizationRequests: 'required',
    dpop: 'never',
    apis: [{ resource: `https://api.${host}/v1`, name: 'A', scopes: [{ scope: 'a' }] }],
  }
}

/** The last pushed request, by issuer. */
const pushed = new Map<string, URLSearchParams>()

function answer(issuer: string, step: Step, body: string): unknown {
  switch (step) {
    case 'metadata':
      return {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        pushed_authorization_request_endpoint: `${issuer}/par`,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
      }
    case 'par':
      pushed.set(issuer, new URLSearchParams(body))
      return { request_uri: 'urn:ietf:params:oauth:request_uri:1', expires_in: 60 }
    default:
      return { access_token: 'token', token_type: 'Bearer', expires_in: 600, scope: 'a' }
  }
}

const getStep = (path: string): Step =>
  path.startsWith('/.well-known') ? 'metadata' : (path.slice(1) as Step)

/** Answers like the operator, or never: then the request ends with its signal. */
async function fakeFetch(input: string, init: RequestInit = {}): Promise<Response> {
  const { origin, host, pathname } = new URL(input)
  const step = getStep(pathname)
  requests.push(`${host} ${step}`)
  if (hangs.get(host) === step) {
    return new Promise((_, reject) => {
      init.signal?.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }
  const status = step === 'par' ? 201 : 200
  return Response.json(answer(origin, step, String(init.body ?? '')), { status })
}

/** Runs one attempt at a time, like Chromium. */
async function launchWebAuthFlow(options: {
  url: string
  timeoutMsForNonInteractive?: number
}): Promise<string> {
  const { origin, host } = new URL(options.url)
  if (isOccupied) throw new Error('Only one web auth flow is allowed at a time.')
  launched.push(options)
  requests.push(`${host} authorize`)
  if (hangs.get(host) === 'authorize') {
    isOccupied = true
    await new Promise<void>((resolve) => {
      endHanging.push(resolve)
      setTimeout(resolve, options.timeoutMsForNonInteractive ?? 60_000)
    })
    isOccupied = false
    throw new Error('User interaction required.')
  }
  if (host === 'late.example') {
    isOccupied = true
    await new Promise((resolve) => setTimeout(resolve, answerMs))
    isOccupied = false
    if (!isAnswered) throw new Error('User interaction required.')
  }
  const response = new URLSearchParams({
    code: 'code',
    state: pushed.get(origin)?.get('state') ?? '',
    iss: origin,
  })
  return `${pushed.get(origin)?.get('redirect_uri')}?${response}`
}

let authorizeSilently: (request: SilentRequest) => Promise<unknown>
let windowMayHelp: (error: unknown) => boolean

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
  vi.resetModules()
  vi.stubGlobal('fetch', fakeFetch)
  // A new instance, like the modules that import it.
  const { default: browser } = await import('../../support/fake-browser.ts')
  Object.assign(browser.identity, { launchWebAuthFlow })
  hangs.clear()
  requests = []
  launched = []
  endHanging = []
  isOccupied = false
  ;({ authorizeSilently, windowMayHelp } = await import(
    '../../../../extension/background/authorization/silent-authorization.ts'
  ))
})
afterEach(() => {
  for (const end of endHanging) end()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Starts an attempt. The outcome is `ok`, or the error. */
function attempt(host: string): Promise<unknown> {
  const server = createProfile(host)
  const apis = server.apis.map(({ resource }) => ({ resource, scope: 'a' }))
  return authorizeSilently({
    server,
    origin: 'https://app.example',
    clientId: 'client',
    apis,
    keyId: crypto.randomUUID(),
  }).then(
    () => 'ok',
    (error: unknown) => error,
  )
}

/** Lets time pass in steps, so that requests between them are made. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** Waits until a host has got a request. The crypto of the core takes real time. */
const requested = (text: string) =>
  vi.waitFor(() => expect(requests).toContain(text), { timeout: 10_000, interval: 1 })

describe('A08: an operator that hangs', () => {
  test.each<Step>(['metadata', 'par', 'token'])(
    'at its %s request delays no other operator',
    async (step) => {
      hangs.set('slow.example', step)
      const slow = attempt('slow.example')
      await requested(`slow.example ${step}`)
      // The clock stands still: the other operator is not delayed by any time limit.
      expect(await attempt('quick.example')).toBe('ok')
      await pass(ATTEMPT_MS)
      expect(await slow).toMatchObject({ code: 'timeout' })
    },
  )

  test('at its authorization endpoint keeps its turn for the time limit at most', async () => {
    hangs.set('slow.example', 'authorize')
    const slow = attempt('slow.example')
    await requested('slow.example authorize')
    const quick = attempt('quick.example')
    await requested('quick.example par')
    await pass(ATTEMPT_MS)
    expect(await slow).toMatchObject({ data: { error: 'timeout' } })
    expect(await quick).toBe('ok')
    expect(launched[0]?.timeoutMsForNonInteractive).toBe(ATTEMPT_MS)
  })

  test('has no turn during its back-off, whichever call asks, and another operator has one', async () => {
    hangs.set('slow.example', 'authorize')
    const first = attempt('slow.example')
    await requested('slow.example authorize')
    const second = attempt('slow.example')
    await vi.waitFor(() =>
      expect(requests.filter((text) => text === 'slow.example par')).toHaveLength(2),
    )
    await pass(ATTEMPT_MS)
    await first
    for (const outcome of [await second, await attempt('slow.example')]) {
      expect(outcome).toMatchObject({ code: 4901, data: { error: 'network_error' } })
      expect(windowMayHelp(outcome)).toBe(true)
    }
    expect(launched).toHaveLength(1)
    expect(await attempt('quick.example')).toBe('ok')
    hangs.clear()
    await pass(40_000)
    expect(await attempt('slow.example')).toBe('ok')
  })

  test('with others like it: a call waits a bounded time, and a window may help', async () => {
    for (const name of ['one', 'two', 'three']) hangs.set(`${name}.example`, 'authorize')
    for (const host of hangs.keys()) {
      void attempt(host)
      await requested(`${host} par`)
    }
    await requested('one.example authorize')
    const quick = attempt('quick.example')
    await requested('quick.example par')
    await pass(TURN_MS)
    const outcome = await quick
    expect(outcome).toMatchObject({ code: 4901, data: { error: 'network_error' } })
    expect(windowMayHelp(outcome)).toBe(true)
    expect(requests).not.toContain('quick.example authorize')
  })
})

describe('an operator that answers just before the time limit', () => {
  const runLate = async () => {
    const late = attempt('late.example')
    await vi.waitFor(() => expect(isOccupied).toBe(true), { timeout: 10_000, interval: 1 })
    await pass(answerMs)
    return late
  }

  test.each([true, false])(
    'has a fifth of the turns at most (with a code: %s)',
    async (hasCode) => {
      answerMs = ATTEMPT_MS - 1_000
      isAnswered = hasCode
      const outcome = await runLate()
      if (hasCode) expect(outcome).toBe('ok')
      else expect(outcome).toMatchObject({ data: { error: 'interaction_required' } })
      const next = await attempt('late.example')
      expect(next).toMatchObject({ code: 4901, data: { error: 'network_error' } })
      expect(windowMayHelp(next)).toBe(true)
      expect(await attempt('quick.example')).toBe('ok')
      await pass(4 * answerMs)
      answerMs = 4_000
      isAnswered = true
      expect(await runLate()).toBe('ok')
      expect(await runLate()).toBe('ok')
    },
  )

  test('has its turns where an attempt delays no other operator (Firefox)', async () => {
    Object.assign(globalThis, { __TARGET__: 'firefox' })
    onTestFinished(() => void Object.assign(globalThis, { __TARGET__: 'chromium' }))
    answerMs = ATTEMPT_MS - 1_000
    expect(await runLate()).toBe('ok')
    expect(await runLate()).toBe('ok')
  })
})

test('an attempt that an earlier worker left in the browser is no question to the user', async () => {
  isOccupied = true
  expect(await attempt('quick.example')).toMatchObject({ code: 4901 })
})
