/**
 * Section 2 of the contract: `broker_getInfo`, `northbound_connect`, `northbound_getGrants` and
 * `northbound_revoke`, each with every parameter and the exact shape of its result.
 *
 * Seen to fail when: a grant has no `grantId`; `mode` is `token` by default; the `apis` of a grant are
 * those asked for and not those granted; an abort does not cancel the flow; a revocation that the
 * server has not heard counts as done.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiAccess, Grant, Provider, RevokeResult } from '../../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../support/application.ts'
import { gesture } from '../support/known-subscriber.ts'
import { gone, pageAt } from '../support/pages.ts'
import { aGrant } from '../support/shapes.ts'
import {
  answerConsent,
  authorizationRequests,
  BROWSERS,
  type Called,
  CLIENT_ID,
  call,
  formOf,
  type Stage,
  signIn,
  startStage,
} from '../support/stage.ts'
import { windowsOpenedBy } from '../support/windows.ts'

const PURPOSE = 'dpv:RequestedServiceProvision'
const REASON = 'Smooth streaming'
/** No phone number: the sign-in form would have it filled in. */
const HINT = 'the one with the telescope'

describe.each(BROWSERS)('in %s, a page', (name) => {
  let stage: Stage
  let other: ApplicationServer
  let page: Page
  let grant: Grant
  let apis: ApiAccess[]

  beforeAll(async () => {
    stage = await startStage(name)
    other = await startApplication()
    page = await stage.open()
  })
  afterAll(async () => {
    await stage?.close()
    await other?.close()
  })

  const grants = async () => (await quietly<Grant[]>('northbound_getGrants')).result

  /** The outcome of a call that may open no window, and opened none. */
  async function quietly<T>(method: string, params?: object): Promise<Called<T>> {
    let outcome: Called<T> | undefined
    const opened = await windowsOpenedBy(stage, async () => {
      outcome = await call<T>(page, method, params)
    })
    expect(opened).toBe(0)
    return outcome as Called<T>
  }

  test('broker_getInfo: protocol, version, features and redirectUris, and nothing else', async () => {
    expect((await quietly('broker_getInfo')).result).toStrictEqual({
      protocol: '1',
      version: expect.stringMatching(/^\d+(?:\.\d+)+/),
      features: expect.arrayContaining([expect.any(String)]),
      redirectUris: [stage.redirectBase],
    })
  })

  test('northbound_connect: an issuer that the broker does not know is not added', async () => {
    const issuer = 'https://unknown.example'
    const { error } = await quietly('northbound_connect', stage.wish({ issuer }))
    expect(error).toMatchObject({ code: 4100 })
    expect(stage.outside.connections).not.toContain('unknown.example')
  })

  test('northbound_connect: issuer, apis of resource, scope and purpose, mode, clientId, reason and loginHint end in a Grant', async () => {
    const asked = stage.wish().apis.map((api) => ({ ...api, purpose: PURPOSE }))
    const params = stage.wish({
      apis: asked,
      mode: 'fetch',
      clientId: CLIENT_ID,
      reason: REASON,
      loginHint: HINT,
    })
    const before = Date.now()
    const outcome = call<Grant>(page, 'northbound_connect', params)
    const consent = await pageAt(stage.browser, '/ui/consent/')
    await consent.waitForSelector('[data-testid=allow]')
    const shown = await consent.evaluate(() => document.body.innerText)
    expect(shown).toContain(REASON)
    await answerConsent(stage, 'allow')
    await signIn(stage)
    const { result } = await outcome
    const { issuer } = stage.network
    const known = {
      issuer,
      clientId: CLIENT_ID,
      mode: 'fetch',
      apis: asked,
      tokenType: 'Bearer',
    } as const
    expect(result).toStrictEqual(aGrant(known))
    if (!result) return
    grant = result
    expect(grant.createdAt).toBeGreaterThanOrEqual(before)
    expect(grant.expiresAt).toBeGreaterThan(Date.now())
    const gpsis = stage.network.subscribers.all.map(({ phoneNumber }) => phoneNumber.slice(1))
    for (const gpsi of gpsis) expect(grant.subject).not.toContain(gpsi)
    expect(authorizationRequests(stage)[0]?.query).toMatchObject({ login_hint: HINT })
    await gone(stage.browser, '/ui/consent/')
  })

  test('northbound_getGrants: the grants of this origin, and no others', async () => {
    expect(await grants()).toStrictEqual([grant])
    const stranger = await stage.browser.newPage()
    await stranger.goto(other.origin)
    expect(await call(stranger, 'northbound_getGrants')).toEqual({ result: [] })
    await stranger.close()
  })

  test('northbound_connect: the default mode is fetch, which releases no token', async () => {
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    // The operator knows the user by now, and has the authorization on record.
    await answerConsent(stage, 'allow')
    const { result } = await outcome
    expect(result).toStrictEqual(aGrant({ mode: 'fetch', apis: stage.wish().apis }))
    await gone(stage.browser, '/ui/consent/')
    const grantId = result?.grantId
    expect((await call(page, 'northbound_getAccessToken', { grantId })).error).toMatchObject({
      code: 4100,
    })
  })

  test('northbound_connect: what is granted may be less than what was asked', async () => {
    const profile = stage.network.operatorProfiles.find(({ issuer }) => issuer === grant.issuer)
    apis = (profile?.apis ?? []).map(({ resource, scopes }) => ({
      resource,
      scope: scopes[0]?.scope ?? '',
    }))
    expect(apis).toHaveLength(2)
    const narrower = { access_token: 'narrower', token_type: 'Bearer', expires_in: 600 }
    stage.network.faults.add({
      method: 'POST',
      path: '/token',
      times: 1,
      action: { type: 'body', body: JSON.stringify({ ...narrower, scope: apis[0]?.scope }) },
    })
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish({ apis, mode: 'token' }))
    await answerConsent(stage, 'allow')
    // A wider wish than before: the operator asks again.
    await signIn(stage)
    const { result } = await outcome
    expect(result).toStrictEqual(aGrant({ mode: 'token', apis: apis.slice(0, 1) }))
    await gone(stage.browser, '/ui/consent/')
  })

  test('northbound_connect: given up by its signal, the window closes', async () => {
    await gesture(page)
    await page.evaluate(
      (params) => {
        const { provider } = window.detail as { provider: Provider }
        const controller = new AbortController()
        const calling = provider.request({
          method: 'northbound_connect',
          params,
          signal: controller.signal,
        })
        Object.assign(window, {
          giveUp: () => {
            controller.abort('not now')
            return calling.catch((reason: unknown) => reason)
          },
        })
      },
      stage.wish({ apis: apis.slice(1), mode: 'token' }),
    )
    await pageAt(stage.browser, '/ui/consent/')
    const reason = await page.evaluate(() =>
      (window as unknown as { giveUp(): Promise<unknown> }).giveUp(),
    )
    expect(reason).toBe('not now')
    await gone(stage.browser, '/ui/consent/')
  })

  const revocations = () => stage.network.log.filter({ method: 'POST', path: /revocation$/ })

  test('northbound_revoke: with grantId that grant alone, and the server is told', async () => {
    const { grantId } = grant
    const before = (await grants())?.length ?? 0
    expect(await quietly('northbound_revoke', { grantId })).toStrictEqual({
      result: { revoked: [grantId], pending: [] },
    })
    expect(revocations()).toHaveLength(1)
    expect(formOf(revocations()[0]).token).toBeDefined()
    expect(await grants()).toHaveLength(before - 1)
  })

  test('northbound_revoke: without grantId all grants of this origin; pending where the server cannot be told', async () => {
    const ids = ((await grants()) ?? []).map(({ grantId }) => grantId).sort()
    expect(ids.length).toBeGreaterThan(1)
    stage.network.faults.add({
      path: '*revocation',
      action: { type: 'drop', when: 'before-reading' },
    })
    const { result } = await quietly<RevokeResult>('northbound_revoke')
    expect({ ...result, pending: result?.pending.sort() }).toStrictEqual({
      revoked: [],
      pending: ids,
    })
    expect(await grants()).toEqual([])
  })
})
