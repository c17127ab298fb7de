/**
 * Another subscriber signs in at the operator while a grant is there: the tokens of the one are never
 * used for the other.
 *
 * Seen to fail when `isSameSubject` always says yes, and, the last one, when the handle of a subscriber
 * does not depend on the subscriber.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type ConnectParams,
  ERROR_CODE,
  type FetchParams,
  type FetchResult,
  type Grant,
} from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { gone } from './support/pages.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  connect,
  type Stage,
  signInPage,
  startStage,
} from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

describe.each(BROWSERS)('in %s, another subscriber', (name) => {
  let stage: Stage
  let page: Page
  let wish: ConnectParams
  let grant: Grant | undefined

  beforeAll(async () => {
    stage = await startStage(name, {
      operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
    })
    page = await stage.open()
    const operator = stage.network.operatorProfiles.find(({ profile }) => profile === 'camara')
    const [api] = operator?.apis ?? []
    wish = {
      issuer: operator?.issuer ?? '',
      apis: [
        {
          resource: api?.resource ?? '',
          scope: (api?.scopes ?? [])
            .slice(0, 2)
            .map(({ scope }) => scope)
            .join(' '),
          purpose: api?.purposes?.[0] ?? '',
        },
      ],
    }
    grant = (await connect(stage, page, wish)).result
    expect(grant).toBeDefined()
  })
  beforeEach(() => {
    stage.network.faults.clear()
    stage.network.log.clear()
    // A revocation that the operator carried out would make it ask the other for consent anew.
    stage.network.faults.add({
      path: '*/token/revocation',
      action: { type: 'status', status: 503 },
    })
  })
  afterAll(() => stage?.close())

  const fetchIt = (interactive: FetchParams['interactive'] = 'never') =>
    call<FetchResult>(page, 'northbound_fetch', {
      url: `${wish.apis[0]?.resource}/sessions/${crypto.randomUUID()}`,
      interactive,
    })

  const apiCalls = () => stage.network.log.filter({ server: 'api-exposing-functions' })
  const revocations = () =>
    stage.network.log.filter({ method: 'POST', path: /\/token\/revocation$/ })

  /** The API wants the user to sign in anew, and it is somebody else who does. */
  async function signInAsAnother(): Promise<void> {
    const another = stage.network.subscribers.all[1]
    const operator = await signInPage(stage)
    await operator.waitForSelector('[data-form=password]')
    await operator.$eval('[name=phone_number]', (field) => {
      ;(field as HTMLInputElement).value = ''
    })
    await operator.type('[name=phone_number]', another?.phoneNumber ?? '')
    await operator.type('[name=password]', another?.password ?? '')
    await operator.click('[data-form=password] [type=submit]')
    await operator.waitForSelector('[data-form=consent]')
    await operator.click('[data-form=consent] [value=allow]')
  }

  test('C22: who signs in where the user of a grant was asked for gets no call made, and the new tokens are revoked', async () => {
    const challenge = 'Bearer error="insufficient_user_authentication", max_age="0"'
    stage.network.faults.add({
      server: 'api-exposing-functions',
      times: 1,
      action: { type: 'status', status: 401, headers: { 'www-authenticate': challenge } },
    })
    await gesture(page)
    const calling = fetchIt('ifNeeded')
    await signInAsAnother()
    const { error } = await calling
    expect(error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(error?.message).toContain('another subscriber')
    expect(apiCalls()).toHaveLength(1)
    expect(revocations()).toHaveLength(1)
    await gone(stage.browser, wish.issuer)
    // The grant and its tokens stay what they were.
    expect((await fetchIt()).result?.status).toBe(404)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([grant])
  })

  /** From here on the operator knows the browser as the other's. */
  async function expectNoCall(): Promise<void> {
    expect((await fetchIt()).error).toMatchObject({
      code: ERROR_CODE.interactionRequired,
      data: { error: 'login_required' },
    })
    expect(apiCalls().filter(({ fault }) => fault === undefined)).toEqual([])
    expect(revocations()).toHaveLength(1)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([grant])
  }

  test('C22: a grant that can only be renewed by an authorization is not renewed by the other’s', async () => {
    const { faults } = stage.network
    faults.add({
      server: 'api-exposing-functions',
      times: 1,
      action: { type: 'status', status: 401 },
    })
    faults.add({
      path: '*/token',
      times: 1,
      action: {
        type: 'status',
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: '{"error":"invalid_grant"}',
      },
    })
    await expectNoCall()
  })

  test('C22: nor where nothing is left of the earlier tokens, as after the end of the browser', async () => {
    const worker = await workerSwitch(stage)
    await worker.page.evaluate(async () => {
      const opening = indexedDB.open('northkey-tokens')
      await new Promise((resolve) => {
        opening.onsuccess = resolve
      })
      const clearing = opening.result.transaction('tokens', 'readwrite')
      clearing.objectStore('tokens').clear()
      await new Promise((resolve) => {
        clearing.oncomplete = resolve
      })
      opening.result.close()
    })
    await worker.stop()
    await worker.close()
    await expectNoCall()
  })

  test('C22: a new grant is the other’s, by its subject', async () => {
    await call(page, 'northbound_revoke')
    await gesture(page)
    const connecting = call<Grant>(page, 'northbound_connect', wish)
    await answerConsent(stage, 'allow')
    const { result } = await connecting
    expect(result?.subject).toBeTypeOf('string')
    expect(result?.subject).not.toBe(grant?.subject)
    expect((await fetchIt()).result?.status).toBe(404)
  })
})
