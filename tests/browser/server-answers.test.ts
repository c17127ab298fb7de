/**
 * What an authorization function may answer that must not be trusted: rows T and M of the catalogue
 * through the built extension. Each ends in a typed error, a code is sent once, nothing goes to another
 * server, nothing of the answer reaches the page, and no grant stays.
 *
 * Seen to fail, in both browsers, when `fetch` follows redirects and `rejectRedirect` does not reject them
 * (T01, M-04); when an answer may be of any type and a list counts as its first member (T03); without the
 * limits of size (T04, M-07) and depth (T04); when `access_token` may be anything (T06); when every
 * token is a bearer token (T08), and a DPoP token needs no proof (T09); when the server's word does not
 * reach the page (T13, T14); when a refusal without a word is an error of the network (T15); when the
 * issuer of metadata is not compared (M-01) and their endpoints are not checked (M-07); when a code is
 * redeemed with metadata read anew (M-05); and when no token at hand is fresh (M-08).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FaultAction } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type FetchResult, type Grant } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { changeMetadata } from './support/faults.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { expectNoGrant } from './support/nothing-kept.ts'
import { until } from './support/pages.ts'
import { type Called, call, formOf, gesture, type Stage, tokenRequests } from './support/stage.ts'

const METADATA = '/.well-known/*'
const TOKEN = '/token'
const EVIL = 'https://evil.example'
/** What no page may read of an answer. */
const CANARY = 'canary-in-the-answer'
/** What would be a token, were it in a body that can be trusted. */
const MEMBERS = `"access_token":"${CANARY}","token_type":"Bearer"`

const { untrustedResponse, authorizationServerError } = ERROR_CODE

function answer(status: number, body: string, type = 'application/json'): FaultAction {
  return { type: 'status', status, headers: { 'content-type': type }, body }
}

const token = (members: object) =>
  answer(200, JSON.stringify({ access_token: CANARY, token_type: 'Bearer', ...members }))

/** Enough for a flow. */
const metadata = (issuer: string, members: object) =>
  answer(
    200,
    JSON.stringify({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      code_challenge_methods_supported: ['S256'],
      ...members,
    }),
  )

const redirect = (path: string, status: 301 | 302 | 303 | 307 | 308): FaultAction => ({
  type: 'redirect',
  location: EVIL + path,
  status,
})

type Action = FaultAction | ((issuer: string) => FaultAction)
type Case = [title: string, path: string, action: Action, error?: string]

const CASES: Case[] = [
  ['T01: a 301 of the token request', TOKEN, redirect(TOKEN, 301)],
  ['T01: a 302 of the token request', TOKEN, redirect(TOKEN, 302)],
  ['T01: a 308 of the token request', TOKEN, redirect(TOKEN, 308)],
  ['T03: an empty body', TOKEN, answer(200, '')],
  ['T03: JSON that breaks off', TOKEN, answer(200, `{"access_token":"${CANARY}"`)],
  ['T03: a list', TOKEN, answer(200, `[{${MEMBERS}}]`)],
  ['T03: JSON that says it is text', TOKEN, answer(200, `{${MEMBERS}}`, 'text/plain')],
  ['T04: more than 256 kB', TOKEN, token({ more: 'x'.repeat(300_000) })],
  [
    'T04: 100,000 brackets',
    TOKEN,
    answer(200, `{${MEMBERS},"more":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  ],
  ['T06: no access token', TOKEN, token({ access_token: undefined })],
  ['T06: an access token that is a number', TOKEN, token({ access_token: 7 })],
  ['T06: an access token with a line break', TOKEN, token({ access_token: `a\r\nx: ${CANARY}` })],
  ['T08: no token type', TOKEN, token({ token_type: undefined })],
  ['T08: an unknown token type', TOKEN, token({ token_type: 'mac' })],
  [
    'T09: a DPoP token where no proof was sent',
    TOKEN,
    token({ token_type: 'DPoP' }),
    'token_type_mismatch',
  ],
  [
    'T13: invalid_grant for the code',
    TOKEN,
    answer(400, '{"error":"invalid_grant"}'),
    'invalid_grant',
  ],
  [
    'T14: unauthorized_client',
    TOKEN,
    answer(400, '{"error":"unauthorized_client"}'),
    'unauthorized_client',
  ],
  ['T15: 400 with HTML', TOKEN, answer(400, `<p>${CANARY}</p>`, 'text/html')],
  [
    'M-01: metadata of another issuer',
    METADATA,
    { type: 'issuer', issuer: EVIL },
    'issuer_mismatch',
  ],
  [
    'M-04: a redirect of the metadata',
    METADATA,
    redirect('/.well-known/openid-configuration', 302),
  ],
  [
    'M-07: metadata of the wrong types',
    METADATA,
    (issuer) => metadata(issuer, { authorization_endpoint: 7 }),
  ],
  ['M-07: metadata of 1 MB', METADATA, (issuer) => metadata(issuer, { more: 'x'.repeat(1e6) })],
]

describe('an answer that must not be trusted', () => {
  const test = base.extend('options', { reuseConnections: false })

  async function connect(stage: Stage, page: Page): Promise<Called<Grant>> {
    await gesture(page)
    return call<Grant>(page, 'northbound_connect', stage.wish())
  }

  test.for(CASES)('%s', async ([, path, answered, error = 'invalid_response'], { stage, page }) => {
    await signInBeforehand(stage)
    const action = typeof answered === 'function' ? answered(stage.network.issuer) : answered
    stage.network.faults.add({ server: 'authorization-function', path, action })
    const outcome = await connect(stage, page)
    const ownWord = /^(invalid_grant|unauthorized_client)$/.test(error)
    expect(outcome.error).toMatchObject({
      code: ownWord ? authorizationServerError : untrustedResponse,
      data: { error },
    })
    expect(JSON.stringify(outcome)).not.toContain(CANARY)
    expect(tokenRequests(stage)).toHaveLength(path === TOKEN ? 1 : 0)
    expect(stage.outside.connections).not.toContain(new URL(EVIL).hostname)
    await expectNoGrant(stage, page)
  })

  test('M-05: a flow keeps to the endpoints that it began with', async ({ stage, page }) => {
    await signInBeforehand(stage)
    const { log, faults } = stage.network
    // The redirect waits until the metadata have changed.
    const held = faults.add({ path: '/auth', action: { type: 'hold', before: 'answering' } })
    const connecting = connect(stage, page)
    await until('the request', async () => log.filter({ path: '/auth' }).length === 1)
    await changeMetadata(stage.network, (members) => {
      members.token_endpoint = `${EVIL}/token`
    })
    faults.remove(held)
    expect((await connecting).result).toBeDefined()
    expect(tokenRequests(stage).map((entry) => typeof formOf(entry).code)).toEqual(['string'])
    expect(stage.outside.connections).not.toContain(new URL(EVIL).hostname)
  })

  test('M-08: with the authorization function out of reach a token at hand still serves', async ({
    stage,
    page,
    granted: _,
  }) => {
    stage.network.faults.add({
      server: 'authorization-function',
      action: { type: 'drop', when: 'before-reading' },
    })
    const url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    const { result } = await call<FetchResult>(page, 'northbound_fetch', { url })
    expect(result?.status).toBe(200)
  })
})
