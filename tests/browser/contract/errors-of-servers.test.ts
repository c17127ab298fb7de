/**
 * Section 4 of the contract: errors whose reason is an authorization function, an API or the network.
 * All of them are asked of the network.
 *
 * Seen to fail when: the server's word is replaced by the broker's; 429 is a result like others.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FaultAction, FaultRule } from '../../../demo-site/network/index.ts'
import { redirectUriFor } from '../../../shared/core/index.ts'
import type {
  ErrorCode,
  FetchResult,
  Grant,
  ProviderErrorData,
} from '../../../shared/messages/page-api.ts'
import { during, freshConnections, gesture, startQuietStage } from '../support/known-subscriber.ts'
import { expectError } from '../support/shapes.ts'
import { BROWSERS, type Called, call, type Stage, signIn } from '../support/stage.ts'

const METADATA = '/.well-known/*'

interface Case {
  title: string
  rule: (stage: Stage) => FaultRule | Promise<FaultRule>
  code: ErrorCode
  error: string
  data?: Partial<ProviderErrorData>
}

const atToken = (action: FaultAction) => (): FaultRule => ({
  method: 'POST',
  path: '*/token',
  action,
})

const tokens = (more: object) =>
  atToken({
    type: 'body',
    body: JSON.stringify({ access_token: 'x'.repeat(20), token_type: 'Bearer', ...more }),
  })

/** A word that the authorization function refuses the code with. */
const refusal = (title: string, status: number, error: string): Case => ({
  title,
  rule: atToken({
    type: 'status',
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error, error_description: `about ${error}` }),
  }),
  code: 4310,
  error,
  data: { errorDescription: `about ${error}`, httpStatus: status },
})

const CASES: Case[] = [
  {
    title: '4300 invalid_response: a web page in the place of the metadata',
    rule: () => ({
      path: METADATA,
      action: {
        type: 'status',
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<!doctype html><title>Welcome to the train</title>',
      },
    }),
    code: 4300,
    error: 'invalid_response',
  },
  {
    title: '4300 issuer_mismatch: an authorization response of another issuer',
    rule: () => ({ path: '/auth', action: { type: 'issuer', issuer: 'https://evil.example' } }),
    code: 4300,
    error: 'issuer_mismatch',
  },
  {
    title: '4300 state_mismatch: an authorization response to another request',
    rule: async ({ network: { issuer }, redirectBase }) => {
      const response = new URLSearchParams({ code: 'x', state: 'x'.repeat(43), iss: issuer })
      const location = `${await redirectUriFor(redirectBase, issuer)}?${response}`
      return { path: '/auth', action: { type: 'redirect', status: 302, location } }
    },
    code: 4300,
    error: 'state_mismatch',
  },
  {
    title: '4300 token_type_mismatch: a token bound to a key that was not asked for',
    rule: tokens({ token_type: 'DPoP', expires_in: 600 }),
    code: 4300,
    error: 'token_type_mismatch',
  },
  refusal('4310 invalid_grant: the server’s word stays', 400, 'invalid_grant'),
  refusal('4310 invalid_client: the server’s word stays', 401, 'invalid_client'),
  refusal('4310 invalid_scope: the server’s word stays', 400, 'invalid_scope'),
  refusal('4310 unsupported_grant_type: the server’s word stays', 400, 'unsupported_grant_type'),
  refusal('4310 a_word_of_its_own: the server’s word stays', 400, 'a_word_of_its_own'),
  {
    title: '4290 rate_limited: the authorization function said 429',
    rule: atToken({ type: 'status', status: 429, headers: { 'retry-after': '7' } }),
    code: 4290,
    error: 'rate_limited',
    data: { httpStatus: 429, retryAfterSeconds: 7 },
  },
  {
    title: '4901 network_error: the connection breaks',
    rule: () => ({ path: METADATA, action: { type: 'drop', when: 'before-reading' } }),
    code: 4901,
    error: 'network_error',
  },
  {
    title: '4901 timeout: no answer',
    rule: () => ({ path: METADATA, action: { type: 'hang' } }),
    code: 4901,
    error: 'timeout',
  },
]

describe.each(BROWSERS)('in %s, an authorization', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name))
    freshConnections(stage)
  })
  afterAll(() => stage?.close())

  const connect = async () => {
    await gesture(page)
    return call<Grant>(page, 'northbound_connect', stage.wish())
  }

  const titled = CASES.map((each): [string, Case] => [each.title, each])
  test.each(titled)('%s', async (_title, { rule, code, error, data }) => {
    const outcome = await during(stage, await rule(stage), connect)
    expectError(outcome, code, error, data)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  })

  describe('and a call of an API', () => {
    let url: string

    beforeAll(async () => {
      expect((await connect()).error).toBeUndefined()
      // The oldest fault is asked first: those that keep the stage quiet would hide the others.
      stage.network.faults.clear()
      url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    })
    afterEach(() => stage.network.faults.clear())

    const fetchWhile = (action: FaultAction): Promise<Called<FetchResult>> => {
      stage.network.faults.add({ server: 'api-exposing-functions', action })
      return call(page, 'northbound_fetch', { url })
    }

    const challenged = (status: number, parameters: string) =>
      fetchWhile({
        type: 'status',
        status,
        headers: { 'www-authenticate': `Bearer ${parameters}` },
      })

    test('4220 insufficient_user_authentication: the API wants another authentication (RFC 9470)', async () => {
      const error = 'insufficient_user_authentication'
      const outcome = await challenged(401, `error="${error}", max_age="1"`)
      expectError(outcome, 4220, error, { httpStatus: 401 })
    })

    test('4220 insufficient_scope: the API wants more scope (RFC 6750)', async () => {
      const outcome = await challenged(403, 'error="insufficient_scope", scope="everything"')
      expectError(outcome, 4220, 'insufficient_scope', { httpStatus: 403 })
    })

    test('4290 rate_limited: the API said 429', async () => {
      const headers = { 'retry-after': '7' }
      const outcome = await fetchWhile({ type: 'status', status: 429, headers })
      const data = { httpStatus: 429, retryAfterSeconds: 7 }
      expectError(outcome, 4290, 'rate_limited', data)
    })

    test('4901 network_error: the API cannot be reached', async () => {
      const outcome = await fetchWhile({ type: 'drop', when: 'before-reading' })
      expectError(outcome, 4901, 'network_error')
    })

    /** At the operator that knows its subscribers by the mobile network, and signs ID tokens. */
    async function connectThere(name: string): Promise<Called<Grant>> {
      const camara = stage.network.operatorProfiles.find(({ profile }) => profile === 'camara')
      const api = camara?.apis.find(({ resource }) => resource.includes(name))
      const scope = api?.scopes.at(-1)?.scope ?? ''
      const asked = { resource: api?.resource ?? '', scope, purpose: api?.purposes?.[0] ?? '' }
      await gesture(page)
      const params = { issuer: camara?.issuer, apis: [asked] }
      const outcome = call<Grant>(page, 'northbound_connect', params)
      await signIn(stage)
      return outcome
    }

    test('4300 invalid_id_token: an ID token that nobody signed', async () => {
      const forged = tokens({ expires_in: 600, id_token: 'eyJhbGciOiJub25lIn0.e30.' })
      stage.network.faults.add(forged())
      expectError(await connectThere('quality-on-demand'), 4300, 'invalid_id_token')
    })

    test('4230 not_on_mobile_network: the API knows subscribers by the mobile bearer, and this UE is not on it', async () => {
      const { result } = await connectThere('number-verification')
      const there = `${result?.apis[0]?.resource}/device-phone-number`
      const outcome = await call(page, 'northbound_fetch', { url: there })
      expectError(outcome, 4230, 'not_on_mobile_network', { httpStatus: 403 })
    })
  })
})
