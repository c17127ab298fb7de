/**
 * Tests section 2 of the contract: `broker_getInfo`, `northbound_connect`, `northbound_getGrants` and
 * `northbound_revoke`, with every parameter and the exact shape of every result.
 *
 * Seen to fail when:
 * - a grant has no `grantId`;
 * - `mode` is `token` by default;
 * - the `apis` of a grant are the requested APIs and not the granted APIs;
 * - an abort does not cancel the flow;
 * - a revocation that did not reach the server counts as done;
 * - a page has to name a scope, and a consent window without scopes allows nothing (H21).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { redirectUriFor } from '../../../shared/core/index.ts'
import type {
  BrokerInfo,
  Grant,
  Provider,
  RevokeResult,
} from '../../../shared/messages/page-api.ts'
import { test as base } from '../fixtures.ts'
import { connectFurther, connectQuickly } from '../support/known-subscriber.ts'
import { gone, pageAt } from '../support/pages.ts'
import { aGrant } from '../support/shapes.ts'
import { forgeResponse } from '../support/sign-in-window.ts'
import {
  answerConsent,
  authorizationRequests,
  type Called,
  CLIENT_ID,
  call,
  formOf,
  gesture,
  type Stage,
  signIn,
  signInPage,
} from '../support/stage.ts'
import { windowsOpenedBy } from '../support/windows.ts'

const PURPOSE = 'dpv:RequestedServiceProvision'
const REASON = 'Smooth streaming'
/** A login hint that is no phone number. The sign-in form would be filled in with a phone number. */
const HINT = 'Zoë (山田), the one with the telescope'

const test = base
const consentTest = base.extend('options', { requireConsent: true })
const scopelessTest = base.extend('options', {
  requireConsent: true,
  operator: ({ apis }) => ({ apis: apis.map((api) => ({ ...api, scopes: [] })) }),
})
const twoGrantsTest = base.extend('grants', async ({ stage, page, granted }) => {
  const { result, error } = await connectFurther(stage, page, stage.wish({ mode: 'token' }))
  if (!result) throw new Error(`no second grant: ${error?.message}`)
  return [granted, result] as const
})

/** Returns the outcome of a call that may open no window, and expects that it opened none. */
async function callQuietly<T>(
  stage: Stage,
  page: Page,
  method: string,
  params?: object,
): Promise<Called<T>> {
  let outcome: Called<T> | undefined
  const opened = await windowsOpenedBy(stage, async () => {
    outcome = await call<T>(page, method, params)
  })
  expect(opened).toBe(0)
  return outcome as Called<T>
}

const grantsOf = (stage: Stage, page: Page) =>
  callQuietly<Grant[]>(stage, page, 'northbound_getGrants')

describe('a page that calls broker_getInfo', () => {
  test('broker_getInfo: protocol, version, features and redirectUris, and nothing else', async ({
    stage,
    page,
  }) => {
    expect((await callQuietly(stage, page, 'broker_getInfo')).result).toStrictEqual({
      protocol: '1',
      version: expect.stringMatching(/^\d+(?:\.\d+)+/),
      features: expect.arrayContaining([expect.any(String)]),
      redirectUris: [stage.redirectBase],
    })
  })

  test('broker_getInfo: issuer brings the whole redirect URI, where the operator knows this origin', async ({
    stage,
    page,
    stranger,
  }) => {
    const { issuer } = stage.network
    const { result } = await callQuietly<BrokerInfo>(stage, page, 'broker_getInfo', { issuer })
    expect(result?.redirectUri).toBe(await redirectUriFor(stage.redirectBase, issuer))
    const ofStranger = await callQuietly<BrokerInfo>(stage, stranger, 'broker_getInfo', { issuer })
    expect(ofStranger.result?.redirectUris).toEqual([stage.redirectBase])
    expect(ofStranger.result).not.toHaveProperty('redirectUri')
  })
})

describe('a page that connects, with the consent window', () => {
  consentTest(
    'northbound_connect: an issuer that the broker does not know is not added',
    async ({ stage, page }) => {
      const wish = stage.wish({ issuer: 'https://unknown.example' })
      const { error } = await callQuietly(stage, page, 'northbound_connect', wish)
      expect(error).toMatchObject({ code: 4100 })
      expect(stage.outside.connections).not.toContain('unknown.example')
    },
  )

  consentTest(
    'northbound_connect: issuer, apis of resource, scope and purpose, mode, clientId, reason and loginHint end in a Grant',
    async ({ stage, page }) => {
      const apis = stage.wish().apis.map((api) => ({ ...api, purpose: PURPOSE }))
      const params = stage.wish({
        apis,
        mode: 'fetch',
        clientId: CLIENT_ID,
        reason: REASON,
        loginHint: HINT,
      })
      const before = Date.now()
      const outcome = call<Grant>(page, 'northbound_connect', params)
      const consent = await pageAt(stage.browser, '/ui/consent/')
      await consent.waitForSelector('[data-testid=allow]')
      expect(await consent.evaluate(() => document.body.innerText)).toContain(REASON)
      await answerConsent(stage, 'allow')
      await signIn(stage)
      const { result } = await outcome
      const { issuer } = stage.network
      expect(result).toStrictEqual(
        aGrant({ issuer, clientId: CLIENT_ID, mode: 'fetch', apis, tokenType: 'Bearer' }),
      )
      expect(result?.createdAt).toBeGreaterThanOrEqual(before)
      expect(result?.expiresAt).toBeGreaterThan(Date.now())
      const gpsis = stage.network.subscribers.all.map(({ phoneNumber }) => phoneNumber.slice(1))
      for (const gpsi of gpsis) expect(result?.subject).not.toContain(gpsi)
      expect(authorizationRequests(stage)[0]?.query).toMatchObject({ login_hint: HINT })
    },
  )

  scopelessTest(
    'northbound_connect: H21: an API without scope is requested without scope, and the grant has the scope that the server states',
    async ({ stage, page }) => {
      const apis = stage.wish().apis.map(({ resource }) => ({ resource }))
      const params = stage.wish({ apis })
      const tokens = {
        access_token: 'opaque',
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'read write',
      }
      stage.network.faults.add({
        path: '/token',
        action: {
          type: 'status',
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(tokens),
        },
      })
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', params)
      const consent = await pageAt(stage.browser, '/ui/consent/')
      await consent.waitForSelector('[data-testid=allow]')
      expect(await consent.evaluate(() => document.body.innerText)).toContain(
        'The operator decides what this site may do there.',
      )
      await answerConsent(stage, 'allow')
      const operator = await signInPage(stage)
      await operator.waitForSelector('form')
      // The operator of the tests grants no request without scope: the response is not its own.
      await forgeResponse(stage, operator, () => {})
      const { result, error } = await outcome
      expect(error).toBeUndefined()
      expect(result).toStrictEqual(
        aGrant({ apis: apis.map((api) => ({ ...api, scope: 'read write' })) }),
      )
      const [request] = authorizationRequests(stage)
      expect(request?.query).toMatchObject({ resource: apis[0]?.resource })
      expect(request?.query).not.toHaveProperty('scope')
    },
  )

  consentTest(
    'northbound_connect: aborted by its signal, the window closes',
    async ({ stage, page }) => {
      await gesture(page)
      await page.evaluate(async (params) => {
        const { provider } = (await window.broker()) as { provider: Provider }
        const controller = new AbortController()
        const { signal } = controller
        const calling = provider.request({ method: 'northbound_connect', params, signal })
        Object.assign(window, {
          abort: () => {
            controller.abort('not now')
            return calling.catch((reason: unknown) => reason)
          },
        })
      }, stage.wish())
      await pageAt(stage.browser, '/ui/consent/')
      const reason = await page.evaluate(() =>
        (window as unknown as { abort(): Promise<unknown> }).abort(),
      )
      expect(reason).toBe('not now')
      await gone(stage.browser, '/ui/consent/')
      expect((await grantsOf(stage, page)).result).toEqual([])
    },
  )
})

describe('a page that is granted access', () => {
  test('northbound_getGrants: the grants of this origin, and no others', async ({
    stage,
    page,
    granted,
    stranger,
  }) => {
    expect((await grantsOf(stage, page)).result).toStrictEqual([granted])
    expect(await call(stranger, 'northbound_getGrants')).toEqual({ result: [] })
  })

  test('northbound_connect: the default mode is fetch, which releases no token', async ({
    stage,
    page,
    granted,
  }) => {
    expect(granted).toStrictEqual(aGrant({ mode: 'fetch', apis: stage.wish().apis }))
    const { grantId } = granted
    const { error } = await call(page, 'northbound_getAccessToken', { grantId })
    expect(error).toMatchObject({ code: 4100 })
  })

  test('northbound_connect: what is granted may be less than what was asked', async ({
    stage,
    page,
  }) => {
    const { issuer } = stage.network
    const profile = stage.network.operatorProfiles.find((known) => known.issuer === issuer)
    const apis = (profile?.apis ?? []).map(({ resource, scopes }) => ({
      resource,
      scope: scopes[0]?.scope ?? '',
    }))
    expect(apis).toHaveLength(2)
    const narrower = {
      access_token: 'narrower',
      token_type: 'Bearer',
      expires_in: 600,
      scope: apis[0]?.scope,
    }
    stage.network.faults.add({
      method: 'POST',
      path: '/token',
      times: 1,
      action: { type: 'body', body: JSON.stringify(narrower) },
    })
    const { result } = await connectQuickly(stage, page, stage.wish({ apis, mode: 'token' }))
    expect(result).toStrictEqual(aGrant({ mode: 'token', apis: apis.slice(0, 1) }))
  })
})

describe('a page that has two grants', () => {
  const revocations = ({ network }: Stage) =>
    network.log.filter({ method: 'POST', path: /revocation$/ })

  twoGrantsTest(
    'northbound_revoke: with grantId that grant alone, and at the server too',
    async ({ stage, page, grants: [first, second] }) => {
      const { grantId } = first
      expect(await callQuietly(stage, page, 'northbound_revoke', { grantId })).toStrictEqual({
        result: { revoked: [grantId], pending: [] },
      })
      expect(revocations(stage)).toHaveLength(1)
      expect(formOf(revocations(stage)[0]).token).toBeDefined()
      expect((await grantsOf(stage, page)).result).toStrictEqual([second])
    },
  )

  twoGrantsTest(
    'northbound_revoke: without grantId all grants of this origin; pending while the server cannot be reached',
    async ({ stage, page, grants }) => {
      stage.network.faults.add({
        path: '*revocation',
        action: { type: 'drop', when: 'before-reading' },
      })
      const { result } = await callQuietly<RevokeResult>(stage, page, 'northbound_revoke')
      expect({ ...result, pending: result?.pending.sort() }).toStrictEqual({
        revoked: [],
        pending: grants.map(({ grantId }) => grantId).sort(),
      })
      expect((await grantsOf(stage, page)).result).toEqual([])
    },
  )
})
