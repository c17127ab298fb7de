/**
 * Tests faults of the network and of the server, at every endpoint that the broker sends requests to. Every
 * fault ends with a typed error of the page contract within the time limit. A code is not sent again, nothing
 * is stored, and the next flow succeeds.
 *
 * Each request has a connection of its own. On a reused connection both browsers repeat a POST that broke
 * off, and the code is sent twice (N02). The browser does this, not the broker.
 *
 * Seen to fail when `fetch` follows redirects and `rejectRedirect` does not reject them (T01).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect, onTestFinished } from 'vitest'
import type { FaultAction } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from './fixtures.ts'
import { openHost } from './support/browser-host.ts'
import { allowEveryHost } from './support/host-access.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { expectNoGrant } from './support/nothing-kept.ts'
import { call, formOf, gesture, type Stage, startStage, tokenRequests } from './support/stage.ts'

const METADATA = '/.well-known/*'
const TOKEN = '/token'

const { unreachable, untrustedResponse, rateLimited, authorizationServerError } = ERROR_CODE

const PORTAL: FaultAction = {
  type: 'status',
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Welcome to the train</title>',
}

type Case = [title: string, path: string, action: FaultAction, code: number, error: string]

const CASES: Case[] = [
  [
    'N01: a connection reset before the request is read',
    METADATA,
    drop('before-reading'),
    unreachable,
    'network_error',
  ],
  [
    'N02: a connection reset once the request is read',
    TOKEN,
    drop('after-reading'),
    unreachable,
    'network_error',
  ],
  ['N02: an answer that is lost', TOKEN, drop('after-processing'), unreachable, 'network_error'],
  [
    'N03: a connection reset in the middle of the answer',
    TOKEN,
    drop('mid-body'),
    unreachable,
    'network_error',
  ],
  ['N04: 500 without a word', TOKEN, { type: 'status', status: 500 }, unreachable, 'network_error'],
  ['N04: 502 with HTML', METADATA, { ...PORTAL, status: 502 }, unreachable, 'network_error'],
  [
    'N04: 503 with Retry-After',
    TOKEN,
    { type: 'status', status: 503, headers: { 'retry-after': '7' } },
    unreachable,
    'network_error',
  ],
  [
    'N04: 429 with Retry-After',
    TOKEN,
    { type: 'status', status: 429, headers: { 'retry-after': '7' } },
    rateLimited,
    'rate_limited',
  ],
  [
    'N07: a captive portal for the metadata',
    METADATA,
    PORTAL,
    untrustedResponse,
    'invalid_response',
  ],
  ['N07: a captive portal for the token', TOKEN, PORTAL, untrustedResponse, 'invalid_response'],
  [
    'T01: a redirect of the token request',
    TOKEN,
    { type: 'redirect', location: 'https://evil.example/token', status: 307 },
    untrustedResponse,
    'invalid_response',
  ],
  [
    'T14: invalid_client',
    TOKEN,
    {
      type: 'status',
      status: 401,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_client"}',
    },
    authorizationServerError,
    'invalid_client',
  ],
]

const SLOW_CASES: Case[] = [
  ['L07, N05: a byte a second', TOKEN, { type: 'drip', bytesPerSecond: 1 }, unreachable, 'timeout'],
  ['L07: no answer at all', METADATA, { type: 'hang' }, unreachable, 'timeout'],
]

function drop(when: Extract<FaultAction, { type: 'drop' }>['when']): FaultAction {
  return { type: 'drop', when }
}

/** Expects the error that a fault causes, and success of the next flow without the fault. */
async function expectTypedError(
  [, path, action, code, error]: Case,
  { stage, page }: { stage: Stage; page: Page },
): Promise<void> {
  const { faults } = stage.network
  const connect = async () => {
    await gesture(page)
    return call<Grant>(page, 'northbound_connect', stage.wish())
  }
  await signInBeforehand(stage)
  const fault = faults.add({ server: 'authorization-function', path, action })
  const outcome = await connect()
  expect(outcome.error).toMatchObject({ code, data: { error }, isError: true })
  if (action.type === 'status' && action.headers?.['retry-after']) {
    expect(outcome.error?.data.retryAfterSeconds).toBe(7)
  }
  const codes = tokenRequests(stage).map((entry) => formOf(entry).code)
  expect(codes.length).toBeLessThanOrEqual(1)
  await expectNoGrant(stage, page)
  expect(stage.outside.requests.filter((url) => url.includes('evil.example'))).toEqual([])

  faults.remove(fault)
  expect((await connect()).error).toBeUndefined()
}

describe('when network or server fail', () => {
  const test = base.extend('options', { reuseConnections: false })

  test.for(CASES)('%s', expectTypedError)

  // tests/real-time/request-timeout.test.ts tests the limit itself in real time.
  const slowTest = base.extend('options', {
    reuseConnections: false,
    limits: { REQUEST_TIMEOUT_MS: 2_000 },
  })

  slowTest.for(SLOW_CASES)('%s', expectTypedError)

  test('N09: without CORS headers the broker still works', async ({ stage, page }) => {
    await signInBeforehand(stage)
    const headers = { 'access-control-allow-origin': null, 'access-control-expose-headers': null }
    stage.network.faults.add({
      server: 'authorization-function',
      action: { type: 'header', headers },
    })
    await gesture(page)
    const { error } = await call<Grant>(page, 'northbound_connect', stage.wish())
    expect(error).toBeUndefined()
  })
})

describe('with the certificates that the browser trusts', () => {
  base('N08: an operator with a certificate of its own making gets no request', async () => {
    const issuer = 'https://operator.example'
    const api = { resource: 'https://api.operator.example/v1', scope: 'a' }
    const host = await openHost(BROWSER, { acceptInsecureCerts: false })
    onTestFinished(() => host.close())
    const stage = await startStage(host, {
      others: async (origin) => [
        {
          issuer,
          name: 'Operator',
          profile: 'oauth',
          apis: [{ resource: api.resource, name: 'An API', scopes: [{ scope: api.scope }] }],
          applications: [{ clientId: 'x', name: 'Application', origins: [origin] }],
        },
      ],
      // Firefox sends nothing to a host without the permission.
      prepareExtension: allowEveryHost,
    })
    onTestFinished(() => stage.close())
    const page = await stage.open()
    await gesture(page)
    const { error } = await call<Grant>(page, 'northbound_connect', { issuer, apis: [api] })
    expect(error).toMatchObject({ code: unreachable, data: { error: 'network_error' } })
    // Control: the browser tried to connect.
    expect(stage.outside.connections).toContain('operator.example')
    expect(stage.outside.requests.filter((url) => url.includes('operator.example'))).toEqual([])
  })
})
