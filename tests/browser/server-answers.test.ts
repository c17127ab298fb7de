/**
 * Tests responses of an authorization function that must not be trusted: rows T and M of the catalogue,
 * through the built extension. Each ends with a typed error, a code is sent once, no request goes to another
 * server, the page gets no part of the response, and no grant stays.
 *
 * Seen to fail, in both browsers, when:
 * - `fetch` follows redirects and `rejectRedirect` does not reject them (T01, M-04);
 * - a response may have any media type, and a list counts as its first member (T03);
 * - the limits of size (T04, M-07) and of depth (T04) are missing;
 * - `access_token` may have any type (T06);
 * - every token is used as a bearer token (T08), and a DPoP token needs no proof (T09);
 * - the server's error code does not reach the page (T13, T14);
 * - an error response without an error code counts as a network error (T15);
 * - the issuer of metadata is not compared (M-01), and the endpoints in metadata are not checked (M-07);
 * - a code is redeemed with metadata that were fetched again (M-05);
 * - no cached token counts as fresh (M-08);
 * - a redirect of the first well-known address ends the search (H13).
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
/** Parts of a response that no page may read. */
const CANARY = 'canary-in-the-answer'
/** Members that would be a token in a trusted body. */
const MEMBERS = `"access_token":"${CANARY}","token_type":"Bearer"`

const { untrustedResponse, authorizationServerError } = ERROR_CODE

function answer(status: number, body: string, type = 'application/json'): FaultAction {
  return { type: 'status', status, headers: { 'content-type': type }, body }
}

const token = (members: object) =>
  answer(200, JSON.stringify({ access_token: CANARY, token_type: 'Bearer', ...members }))

/** Minimal metadata for a flow. */
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

  test('H13: after a redirect of the first well-known address the next one is asked', async ({
    stage,
    page,
  }) => {
    await signInBeforehand(stage)
    const { log, faults } = stage.network
    const path = '/.well-known/oauth-authorization-server*'
    faults.add({ server: 'authorization-function', path, action: redirect('/portal', 302) })
    expect((await connect(stage, page)).result).toBeDefined()
    const paths = log.filter({ path: /^\/\.well-known\// }).map((entry) => entry.path)
    expect(paths.slice(0, 2)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
    ])
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
