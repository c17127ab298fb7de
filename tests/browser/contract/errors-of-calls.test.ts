/**
 * Tests section 4 of the contract: errors that are caused by the user, the grants or the document.
 *
 * Seen to fail when:
 * - -32002 has another number;
 * - a hidden document, or a document without a user gesture, may open a window;
 * - the opaque origin of a sandbox counts as secure.
 */

import { describe, expect } from 'vitest'
import type { Grant } from '../../../shared/messages/page-api.ts'
import { test as base } from '../fixtures.ts'
import { signInBeforehand } from '../support/known-subscriber.ts'
import { inFront, openTab, pageAt, until } from '../support/pages.ts'
import { aGrant, expectError } from '../support/shapes.ts'
import { answerConsent, CLIENT_ID, call, gesture, type Stage } from '../support/stage.ts'
import { getAccessToken, RENEWED } from '../support/tokens.ts'
import { windowsOpenedBy } from '../support/windows.ts'

const test = base.extend('wish', { mode: 'token' })
const consentTest = base.extend('options', { requireConsent: true })

describe('a call that asks the user', () => {
  consentTest('4001 access_denied: the user refused', async ({ stage, page }) => {
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'deny')
    expectError(await outcome, 4001, 'access_denied')
  })

  consentTest('4001 access_denied: the user closed the window', async ({ stage, page }) => {
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await (await pageAt(stage.browser, '/ui/consent/')).close()
    expectError(await outcome, 4001, 'access_denied')
  })

  consentTest(
    '-32002 already_pending: this origin already has a window open',
    async ({ stage, page }) => {
      await signInBeforehand(stage)
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      await pageAt(stage.browser, '/ui/consent/')
      const second = await call<Grant>(page, 'northbound_connect', stage.wish())
      expectError(second, -32002, 'already_pending')
      await answerConsent(stage, 'allow')
      expect((await outcome).result).toStrictEqual(aGrant())
    },
  )
})

describe('a call without a grant', () => {
  test('4100 no_grant: the same for no such grant, a grant of another origin, and an origin never allowed', async ({
    stage,
    page,
    granted,
    stranger,
  }) => {
    const htu = `${granted.apis[0]?.resource}/cloud-gaming/subscriptions`
    const calls = (grantId: string): [method: string, params: object][] => [
      ['northbound_getAccessToken', { grantId }],
      ['northbound_fetch', { grantId, url: htu }],
      ['northbound_createProof', { grantId, htm: 'GET', htu }],
      ['northbound_revoke', { grantId }],
    ]
    const outcomes = []
    for (const args of calls(crypto.randomUUID())) outcomes.push(await call(page, ...args))
    for (const args of calls(granted.grantId)) outcomes.push(await call(stranger, ...args))
    outcomes.push(await call(stranger, 'northbound_connect', stage.wish()))
    const unknown = stage.wish({ issuer: 'https://unknown.example' })
    outcomes.push(await call(stranger, 'northbound_connect', unknown))
    for (const outcome of outcomes) expectError(outcome, 4100, 'no_grant')
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toStrictEqual([granted])
  })
})

describe('a call that would need a window', () => {
  const reportedError = ({ application }: Stage) =>
    application.requests
      .map((line) => new URL(line.split(' ')[1] ?? '', application.origin))
      .find(({ pathname }) => pathname === '/outcome')
      ?.searchParams.get('error')

  test('4210 interaction_required: a page without a gesture of the user', async ({ stage }) => {
    stage.application.routes.set('/by-itself', {
      html: `<script>
        window.broker()
          .then(() => window.call('northbound_connect', ${JSON.stringify(stage.wish())}))
          .then(({ error }) => {
            new Image().src = '/outcome?' + new URLSearchParams({ error: JSON.stringify(error) })
          })
      </script>`,
    })
    // A script of the driver runs with a user gesture, so the page itself makes the call and reports the outcome.
    const visitor = await openTab(stage.browser)
    let error = ''
    const windows = await windowsOpenedBy(stage, async () => {
      await visitor.goto(`${stage.application.origin}/by-itself`)
      error = await until('the outcome', async () => reportedError(stage) ?? undefined)
    })
    expect(windows).toBe(0)
    expectError({ error: JSON.parse(error) }, 4210, 'interaction_required')
  })

  test('4210 interaction_required: a hidden document', async ({ stage, page }) => {
    await inFront(await stage.open())
    await until('the page to be hidden', () => page.evaluate(() => document.hidden))
    const windows = await windowsOpenedBy(stage, async () => {
      const outcome = await call(page, 'northbound_connect', stage.wish())
      expectError(outcome, 4210, 'interaction_required')
    })
    expect(windows).toBe(0)
  })

  // An ID token identifies the subscriber, so that a renewal without a window is tried.
  const tokenTest = test
    .extend('options', { operator: { openid: 'required' } })
    .extend('renew', ({ page, granted }) => () => {
      const { grantId } = granted
      return getAccessToken(page, { grantId, ...RENEWED })
    })

  tokenTest(
    '4210 consent_required: the authorization was taken back at the operator',
    async ({ stage, renew }) => {
      await stage.network.revoke(stage.network.issuer, stage.subscriber.id, CLIENT_ID)
      expectError(await renew(), 4210, 'consent_required')
    },
  )

  tokenTest(
    '4210 login_required: the session at the operator is over',
    async ({ stage, renew }) => {
      await stage.network.revoke(stage.network.issuer, stage.subscriber.id, CLIENT_ID)
      const { issuer, faults } = stage.network
      const cookie = `session_oauth_${new URL(issuer).port}=; Max-Age=0; path=/`
      faults.add({ path: '/phone', action: { type: 'header', headers: { 'set-cookie': cookie } } })
      const visitor = await openTab(stage.browser)
      await visitor.goto(`${issuer}/phone`)
      expectError(await renew(), 4210, 'login_required')
    },
  )
})

describe('a call from a document that is not served', () => {
  test('-32600 forbidden_context: a sandboxed document', async ({ stage }) => {
    const headers = { 'content-security-policy': 'sandbox allow-scripts' }
    stage.application.routes.set('/sandboxed', { html: '', headers })
    const sandboxed = await stage.open('/sandboxed')
    expect(await sandboxed.evaluate(() => self.origin)).toBe('null')
    const outcome = await call(sandboxed, 'northbound_getGrants')
    expectError(outcome, -32600, 'forbidden_context')
  })
})
