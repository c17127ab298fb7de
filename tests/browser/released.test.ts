/**
 * The build that users get, from the import of an operator to a northbound call. It reaches https alone, and
 * so not the network of the other tests: an authorization server and an API of a few lines answer here.
 *
 * Seen to fail with `__DEVELOPMENT__` in the released build too (the first two), when the policy of its pages
 * has no `https:` to connect to, and when the request has the challenge of another verifier (the flow).
 */

import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElementHandle, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import type { OperatorCheck } from '../../shared/messages/screen-channel.ts'
import { inFront } from './support/pages.ts'
import {
  ask,
  askBackground,
  openPopup,
  SITE,
  type SitesStage,
  siteOf,
  startSitesStage,
  switchSiteOn,
} from './support/sites-stage.ts'
import { answerConsent, atRedirectHost, BROWSERS, openScreen } from './support/stage.ts'

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

/** Says yes to everybody, and gives a token for the code and the verifier that belong together. */
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

describe.each(BROWSERS)('in %s, the released build', (name) => {
  let stage: SitesStage
  let popup: Page
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'northkey-profiles-'))
    stage = await startSitesStage(name, 'released')
    serve(stage)
    popup = await openPopup(stage)
  })
  afterAll(async () => {
    await stage?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('knows no operator, and takes none on this machine', async () => {
    expect(await askBackground(popup, 'listOperators', {})).toEqual({ operators: [], refused: [] })
    const text = JSON.stringify({ ...OPERATOR, issuer: 'http://localhost:4400' })
    const { reasons } = await askBackground<OperatorCheck>(popup, 'checkOperator', { text })
    expect(reasons).toEqual(['issuer: expected an https URL'])
  })

  test('is on for no page of this machine, and cannot be switched on for one', async () => {
    const { origin } = stage.application
    const page = await stage.open(origin)
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
    expect((await siteOf(popup, origin)).state).toBe('unfit')
    await page.close()
  })

  /** As a user does it who got a file from the operator. */
  async function importOperator(): Promise<void> {
    for (const origin of [ISSUER, API]) await stage.give(popup, origin)
    const file = join(folder, 'operator.json')
    await writeFile(file, JSON.stringify(OPERATOR))
    const screen = await openScreen(stage, '/ui/operators/index.html')
    const input = (await screen.$('[data-testid=file]')) as ElementHandle<HTMLInputElement> | null
    await input?.uploadFile(file)
    await screen.waitForSelector('[data-testid=confirm-import]')
    await screen.click('[data-testid=confirm-import]')
    await screen.waitForSelector('[data-testid=operator]')
    await screen.close()
  }

  test('a flow works from the file of an operator to a northbound call, over https alone', async () => {
    await importOperator()
    await switchSiteOn(stage, popup, SITE)
    const page = await stage.open(SITE)
    await inFront(page)
    const apis = [{ resource: `${API}/v1`, scope: 'qod' }]
    const connecting = ask<Grant>(page, 'northbound_connect', { issuer: ISSUER, apis })
    await answerConsent(stage, 'allow')
    expect((await connecting)?.result).toMatchObject({ issuer: ISSUER, apis, mode: 'fetch' })
    const url = `${API}/v1/sessions`
    const answer = await ask<FetchResult>(page, 'northbound_fetch', { url })
    expect(answer?.result).toMatchObject({ status: 200 })
    const reached = [...new Set(stage.outside.requests.map((request) => new URL(request).origin))]
    expect(reached).toEqual(expect.arrayContaining([SITE, ISSUER, API]))
    expect(atRedirectHost(stage)).toEqual([])
  })
})
