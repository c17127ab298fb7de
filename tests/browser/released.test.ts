/**
 * Tests the build that users get, from the import of an operator to a northbound call. This build sends
 * requests to https only, so it cannot reach the network of the other tests. A small authorization server and
 * a small API in this file take its place.
 *
 * Seen to fail when `__DEVELOPMENT__` is also true in the released build (the first two), when the content
 * security policy of its pages has no `https:` in `connect-src`, and when the request has the challenge of
 * another verifier (the flow).
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import type { OperatorCheck } from '../../shared/messages/screen-channel.ts'
import { test as base } from './fixtures.ts'
import { chooseFile, openOperators } from './support/operators-screen.ts'
import { inFront } from './support/pages.ts'
import {
  ask,
  askBackground,
  openPopup,
  SITE,
  type SitesStage,
  siteOf,
  switchSiteOn,
} from './support/sites-stage.ts'
import { answerConsent, atRedirectHost } from './support/stage.ts'

const ISSUER = 'https://login.operator.example'
const API = 'https://api.operator.example'
const TOKEN = 'released-token'

const OPERATOR: OperatorProfile = {
  issuer: ISSUER,
  name: 'An operator',
  profile: 'oauth',
  dpop: 'never',
  apis: [{ resource: `${API}/v1`, name: 'Quality on demand', scopes: [{ scope: 'qod' }] }],
  applications: [{ clientId: 'play', name: 'Play', origins: [SITE] }],
}

const json = (value: unknown, status = 200) => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(value),
})

/** Authorizes every request, and issues a token for a code with its matching verifier. */
function serve({ outside: { answers } }: SitesStage): void {
  let challenge = ''
  answers.set(`GET ${ISSUER}/.well-known/oauth-authorization-server`, () =>
    json({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
    }),
  )
  answers.set(`GET ${ISSUER}/authorize`, ({ url: { searchParams } }) => {
    challenge = searchParams.get('code_challenge') ?? ''
    const location = new URL(searchParams.get('redirect_uri') ?? '')
    const state = searchParams.get('state') ?? ''
    location.search = String(new URLSearchParams({ code: 'a-code', state, iss: ISSUER }))
    return { status: 302, headers: { location: location.href, 'cache-control': 'no-store' } }
  })
  answers.set(`POST ${ISSUER}/token`, ({ body }) => {
    const form = new URLSearchParams(body)
    const hash = createHash('sha256').update(form.get('code_verifier') ?? '')
    if (form.get('code') !== 'a-code' || hash.digest('base64url') !== challenge) {
      return json({ error: 'invalid_grant' }, 400)
    }
    return json({ access_token: TOKEN, token_type: 'Bearer', expires_in: 600 })
  })
  answers.set(`GET ${API}/v1/sessions`, ({ headers }) =>
    json([], headers.authorization === `Bearer ${TOKEN}` ? 200 : 401),
  )
}

const test = base
  .extend('build', 'released')
  .extend('popup', ({ sitesStage }) => openPopup(sitesStage))

/** Imports the operator as a user does who has received a file from the operator. */
async function importOperator(stage: SitesStage, popup: Page): Promise<void> {
  for (const origin of [ISSUER, API]) await stage.give(popup, origin)
  const screen = await openOperators(stage)
  await chooseFile(screen, OPERATOR)
  await screen.click('[data-testid=confirm-import]')
  await screen.waitForSelector('[data-testid=operator]')
}

describe('the released build', () => {
  test('knows no operator, and takes none on this machine', async ({ popup }) => {
    expect(await askBackground(popup, 'listOperators', {})).toEqual({ operators: [], rejected: [] })
    const text = JSON.stringify({ ...OPERATOR, issuer: 'http://localhost:4400' })
    const { reasons } = await askBackground<OperatorCheck>(popup, 'checkOperator', { text })
    expect(reasons).toEqual(['issuer: expected an https URL'])
  })

  test('is on for no page of this machine, and cannot be switched on for one', async ({
    sitesStage,
    popup,
  }) => {
    const { origin } = sitesStage.application
    const page = await sitesStage.open(origin)
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
    expect((await siteOf(popup, origin)).state).toBe('unfit')
  })

  test('a flow works from the file of an operator to a northbound call, over https alone', async ({
    sitesStage,
    popup,
  }) => {
    serve(sitesStage)
    await importOperator(sitesStage, popup)
    await switchSiteOn(sitesStage, popup, SITE)
    const page = await sitesStage.open(SITE)
    await inFront(page)
    const apis = [{ resource: `${API}/v1`, scope: 'qod' }]
    const connecting = ask<Grant>(page, 'northbound_connect', { issuer: ISSUER, apis })
    await answerConsent(sitesStage, 'allow')
    expect((await connecting)?.result).toMatchObject({ issuer: ISSUER, apis, mode: 'fetch' })
    const url = `${API}/v1/sessions`
    const answer = await ask<FetchResult>(page, 'northbound_fetch', { url })
    expect(answer?.result).toMatchObject({ status: 200 })
    const { requests } = sitesStage.outside
    const reached = [...new Set(requests.map((request) => new URL(request).origin))]
    expect(reached).toEqual(expect.arrayContaining([SITE, ISSUER, API]))
    expect(atRedirectHost(sitesStage)).toEqual([])
  })
})
