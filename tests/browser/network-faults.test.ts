/**
 * Faults of network and server, at each endpoint that the broker speaks to. Every one ends in a typed
 * error of the page contract, in time; a code is not sent again; nothing is kept; and the next flow
 * works.
 *
 * Seen to fail when `fetch` follows redirects and `refuseRedirect` does not refuse them (T01), and
 * without `freshConnections`: on a connection that served before, both browsers repeat a POST that
 * broke, and the code is sent twice (N02).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FaultAction } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { during, freshConnections, gesture, startQuietStage } from './support/known-subscriber.ts'
import { gone } from './support/pages.ts'
import {
  atRedirectHost,
  BROWSERS,
  type Called,
  call,
  formOf,
  type Stage,
  startStage,
  tokenRequests,
} from './support/stage.ts'

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
  ['L07, N05: a byte a second', TOKEN, { type: 'drip', bytesPerSecond: 1 }, unreachable, 'timeout'],
  ['L07: no answer at all', METADATA, { type: 'hang' }, unreachable, 'timeout'],
]

function drop(when: Extract<FaultAction, { type: 'drop' }>['when']): FaultAction {
  return { type: 'drop', when }
}

describe.each(BROWSERS)('in %s, when network or server fail', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name))
    freshConnections(stage)
  })
  afterEach(async () => {
    await call(page, 'northbound_revoke')
  })
  afterAll(() => stage?.close())

  const withFault = (path: string, action: FaultAction): Promise<Called<Grant>> =>
    during(stage, { server: 'authorization-function', path, action }, async () => {
      await gesture(page)
      return call<Grant>(page, 'northbound_connect', stage.wish())
    })

  test.each(CASES)('%s', async (_title, path, action, code, error) => {
    const outcome = await withFault(path, action)
    expect(outcome.error).toMatchObject({ code, data: { error }, isError: true })
    if (action.type === 'status' && action.headers?.['retry-after']) {
      expect(outcome.error?.data.retryAfterSeconds).toBe(7)
    }
    const codes = tokenRequests(stage).map((entry) => formOf(entry).code)
    expect(codes.length).toBeLessThanOrEqual(1)
    await gone(stage.browser, stage.network.issuer)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    expect(stage.outside.requests.filter((url) => url.includes('evil.example'))).toEqual([])
    expect(atRedirectHost(stage)).toEqual([])
  })

  test('N09: without CORS headers the broker still works', async () => {
    const action: FaultAction = {
      type: 'header',
      headers: { 'access-control-allow-origin': null, 'access-control-expose-headers': null },
    }
    const outcome = await withFault('*', action)
    expect(outcome.error).toBeUndefined()
  })
})

describe.each(BROWSERS)('in %s, with the certificates that the browser trusts', (name) => {
  test('N08: an operator with a certificate of its own making gets no request', async () => {
    const issuer = 'https://operator.example'
    const stage = await startStage(name, {
      acceptInsecureCerts: false,
      requireConsent: false,
      others: async (origin) => [
        {
          issuer,
          name: 'Operator',
          profile: 'oauth',
          apis: [
            {
              resource: 'https://api.operator.example/v1',
              name: 'An API',
              scopes: [{ scope: 'a' }],
            },
          ],
          applications: [{ clientId: 'x', name: 'Application', origins: [origin] }],
        },
      ],
    })
    try {
      const page = await stage.open()
      await gesture(page)
      const apis = [{ resource: 'https://api.operator.example/v1', scope: 'a' }]
      const outcome = await call<Grant>(page, 'northbound_connect', { issuer, apis })
      expect(outcome.error).toMatchObject({ code: unreachable, data: { error: 'network_error' } })
      expect(stage.outside.requests.filter((url) => url.includes('operator.example'))).toEqual([])
    } finally {
      await stage.close()
    }
  })
})
