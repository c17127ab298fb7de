/**
 * Tests a second subscriber who signs in at the operator while a grant of the first subscriber exists. The
 * tokens of a subscriber are never used for another subscriber.
 *
 * Seen to fail when `isSameSubscriber` always returns true. C22, the new grant: when the handle of a subscriber
 * does not depend on the subscriber. A02: when a renewal asks for no more scope than the page and takes tokens
 * without an ID token, and when a grant without a subscriber is renewed silently or keeps its handle.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { Subscriber } from '../../demo-site/network/index.ts'
import {
  type ConnectParams,
  ERROR_CODE,
  type FetchParams,
  type FetchResult,
  type Grant,
} from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { clearStore } from './support/databases.ts'
import { connectQuickly, signInBeforehand } from './support/known-subscriber.ts'
import { REFRESH_REFUSED } from './support/need-the-user.ts'
import { wishFor } from './support/operator-wish.ts'
import { gone } from './support/pages.ts'
import { submitPassword } from './support/password-form.ts'
import { authorizationRequests, call, gesture, type Stage, signInPage } from './support/stage.ts'
import { getAccessToken } from './support/tokens.ts'
import type { WorkerSwitch } from './support/worker.ts'

const wishOf = (stage: Stage): ConnectParams => wishFor(stage, 'camara', 2)

function anotherSubscriber({ network, subscriber }: Stage): Subscriber {
  const another = network.subscribers.all.find((candidate) => candidate !== subscriber)
  if (!another) throw new Error('subscribers: expected at least two')
  return another
}

const callApi = (stage: Stage, page: Page, interactive: FetchParams['interactive'] = 'never') =>
  call<FetchResult>(page, 'northbound_fetch', {
    url: `${wishOf(stage).apis[0]?.resource}/sessions/${crypto.randomUUID()}`,
    interactive,
  })

const apiCalls = ({ network }: Stage) => network.log.filter({ server: 'api-exposing-functions' })

const revocations = ({ network }: Stage) =>
  network.log.filter({ method: 'POST', path: /\/token\/revocation$/ })

/**
 * Makes revocation fail: after a successful revocation the operator would ask the second subscriber for
 * consent.
 */
function failRevocations({ network: { faults } }: Stage): void {
  faults.add({ path: '*/token/revocation', action: { type: 'status', status: 503 } })
}

/** Replaces the operator's session in the browser by a session of the second subscriber. */
function signInAsAnother(stage: Stage): Promise<void> {
  failRevocations(stage)
  return signInBeforehand(stage, wishOf(stage), anotherSubscriber(stage))
}

describe('another subscriber', () => {
  const test = base
    .extend('options', { operator: { onboarding: 'preregistered', clientAuthentication: 'none' } })
    .extend('wish', ({ stage }) => wishOf(stage))

  test('C22: who signs in where the user of a grant was asked for gets no call made, and the new tokens are revoked', async ({
    stage,
    page,
    granted,
  }) => {
    failRevocations(stage)
    const challenge = 'Bearer error="insufficient_user_authentication", max_age="0"'
    stage.network.faults.add({
      server: 'api-exposing-functions',
      times: 1,
      action: { type: 'status', status: 401, headers: { 'www-authenticate': challenge } },
    })
    await gesture(page)
    const calling = callApi(stage, page, 'ifNeeded')
    const operator = await signInPage(stage)
    await submitPassword(operator, anotherSubscriber(stage))
    await operator.waitForSelector('[data-form=consent]')
    await operator.click('[data-form=consent] [value=allow]')
    const { error } = await calling
    expect(error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(error?.message).toContain('another subscriber')
    expect(apiCalls(stage)).toHaveLength(1)
    expect(revocations(stage)).toHaveLength(1)
    await gone(stage.browser, granted.issuer)
    // The grant and its tokens are unchanged.
    expect((await callApi(stage, page)).result?.status).toBe(404)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([granted])
  })

  async function expectNoCall(stage: Stage, page: Page, granted: Grant): Promise<void> {
    expect((await callApi(stage, page)).error).toMatchObject({
      code: ERROR_CODE.interactionRequired,
      data: { error: 'login_required' },
    })
    expect(apiCalls(stage).filter(({ fault }) => fault === undefined)).toEqual([])
    expect(revocations(stage)).toHaveLength(1)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([granted])
  }

  test('C22: a grant that can only be renewed by an authorization is not renewed by the other’s', async ({
    stage,
    page,
    granted,
  }) => {
    await signInAsAnother(stage)
    const { faults } = stage.network
    const action = { type: 'status', status: 401 } as const
    faults.add({ server: 'api-exposing-functions', times: 1, action })
    faults.add({ ...REFRESH_REFUSED, path: '*/token' })
    await expectNoCall(stage, page, granted)
  })

  test('C22: nor where nothing is left of the earlier tokens, as after the end of the browser', async ({
    stage,
    page,
    granted,
    worker,
  }) => {
    await signInAsAnother(stage)
    await clearStore(worker.page, 'northkey-tokens', 'tokens')
    await worker.stop()
    await expectNoCall(stage, page, granted)
  })

  test('C22: a new grant is the other’s, by its subject', async ({ stage, page, granted }) => {
    await signInAsAnother(stage)
    await call(page, 'northbound_revoke')
    await gesture(page)
    const { result } = await call<Grant>(page, 'northbound_connect', wishOf(stage))
    expect(result?.subject).toBeTypeOf('string')
    expect(result?.subject).not.toBe(granted.subject)
    expect((await callApi(stage, page)).result?.status).toBe(404)
  })
})

describe('A02: another session at an operator without ID tokens of its own', () => {
  /** The page gets an ID token only where it requests `openid`, which the API offers beside its own scope. */
  const test = base
    .extend('options', {
      operator: ({ apis }) => ({
        apis: apis.map((api) => ({ ...api, scopes: [...api.scopes, { scope: 'openid' }] })),
      }),
    })
    .extend('wish', { mode: 'token' })

  /** Ends the tokens of the first subscriber, as the end of the browser does, and signs in the second. */
  async function changeSubscriber(stage: Stage, worker: WorkerSwitch, wish: ConnectParams) {
    await signInBeforehand(stage, wish, anotherSubscriber(stage))
    await clearStore(worker.page, 'northkey-tokens', 'tokens')
    await worker.stop()
  }

  test('does not renew a grant with openid, also where the page wants less than that', async ({
    stage,
    page,
    worker,
  }) => {
    const [{ resource = '', scope = '' } = {}] = stage.wish().apis
    const wish = stage.wish({ apis: [{ resource, scope: `openid ${scope}` }], mode: 'token' })
    const { result: granted } = await connectQuickly(stage, page, wish)
    expect(granted?.apis).toEqual([{ resource, scope }])
    await changeSubscriber(stage, worker, wish)

    const { result, error } = await getAccessToken(page, { scope })
    expect(result).toBeUndefined()
    expect(error).toMatchObject({
      code: ERROR_CODE.interactionRequired,
      data: { error: 'login_required' },
    })
    const [request, ...more] = authorizationRequests(stage)
    expect(more).toEqual([])
    expect(request?.query).toMatchObject({ prompt: 'none' })
    expect(String(request?.query.scope).split(' ')).toContain('openid')
    expect(revocations(stage)).toHaveLength(1)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([granted])
  })

  test('does not renew a grant without a subscriber silently, and with the user it gets another handle', async ({
    stage,
    page,
    granted,
    worker,
  }) => {
    await changeSubscriber(stage, worker, stage.wish())
    const { error } = await getAccessToken(page, { grantId: granted.grantId })
    expect(error).toMatchObject({
      code: ERROR_CODE.interactionRequired,
      data: { error: 'interaction_required' },
    })
    expect(authorizationRequests(stage)).toEqual([])

    await gesture(page)
    const params = { grantId: granted.grantId, interactive: 'ifNeeded' } as const
    expect((await getAccessToken(page, params)).error).toBeUndefined()
    const { result: grants = [] } = await call<Grant[]>(page, 'northbound_getGrants')
    expect(grants).toEqual([{ ...granted, subject: expect.any(String) }])
    expect(grants[0]?.subject).not.toBe(granted.subject)
  })
})
