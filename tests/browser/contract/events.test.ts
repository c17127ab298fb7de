/**
 * Section 3 of the contract: what was granted is another, or was taken back in the popup, by the page
 * or in the network, or the broker is gone. The documents of that origin hear of it, and no others.
 *
 * Seen to fail when: `cause` does not travel; `grantsChanged` carries records of the broker;
 * `removeListener` keeps the listener; news goes to every tab and the content script does not look at
 * its origin.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CHROMIUM_ID, GECKO_ID } from '../../../extension/identity.ts'
import type { Grant, Provider, ProviderEvent } from '../../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../support/application.ts'
import { gesture } from '../support/known-subscriber.ts'
import { gone, until } from '../support/pages.ts'
import { aGrant, expectError } from '../support/shapes.ts'
import {
  answerConsent,
  BROWSERS,
  CLIENT_ID,
  call,
  openScreen,
  type Stage,
  signIn,
  startStage,
} from '../support/stage.ts'

interface Told {
  event: ProviderEvent
  payload: unknown
}

const EVENTS: ProviderEvent[] = ['grantsChanged', 'grantRevoked', 'disconnect']

/** From now on the page keeps what it is told; `forget` takes the listener of an event away. */
async function listen(page: Page): Promise<void> {
  await page.evaluate(async (events) => {
    const { provider } = (await window.broker()) as { provider: Provider }
    const told: Told[] = []
    const listeners = new Map(
      events.map((event) => [event, (payload: unknown) => told.push({ event, payload })]),
    )
    for (const [event, listener] of listeners) provider.on(event, listener)
    const forget = (event: ProviderEvent) =>
      provider.removeListener(event, listeners.get(event) ?? (() => {}))
    Object.assign(window, { told, forget })
  }, EVENTS)
}

const toldTo = (page: Page) => page.evaluate(() => (window as unknown as { told: Told[] }).told)

describe.each(BROWSERS)('in %s, a page that listens', (name) => {
  let stage: Stage
  let other: ApplicationServer
  let page: Page
  let stranger: Page
  let grant: Grant
  let signedIn = false

  beforeAll(async () => {
    stage = await startStage(name)
    other = await startApplication()
    stranger = await stage.browser.newPage()
    await stranger.goto(other.origin)
    await listen(stranger)
  })
  afterAll(async () => {
    await stage?.close()
    await other?.close()
  })

  function capifWish() {
    const operator = stage.network.operatorProfiles.find(({ profile }) => profile === 'capif')
    const [api] = operator?.apis ?? []
    return {
      issuer: operator?.issuer ?? '',
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
    }
  }

  beforeEach(async () => {
    page = await stage.open()
    await listen(page)
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', capifWish())
    await answerConsent(stage, 'allow')
    // From the second time on the operator knows the user and has the authorization on record.
    if (!signedIn) await signIn(stage)
    signedIn = true
    const { result, error } = await outcome
    if (!result) throw new Error(`no grant: ${error?.message}`)
    grant = result
    await gone(stage.browser, '/ui/consent/')
  })

  const hearing = (by: string): Promise<unknown> =>
    until('the page to hear of it', async () => {
      const found = (await toldTo(page)).filter(({ event }) => event === 'grantRevoked')
      return found.map(({ payload }) => payload).find((each) => (each as { by: string }).by === by)
    })

  async function expectNothingLeft(): Promise<void> {
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const url = `${capifWish().apis[0]?.resource}/x/subscriptions`
    expectError(await call(page, 'northbound_fetch', { url }), 4100, 'no_grant')
    await page.close()
  }

  test('grantsChanged: { grants } as they are now, to the documents of that origin alone', async () => {
    const second = await stage.open('/second')
    await listen(second)
    await call(page, 'northbound_revoke', { grantId: grant.grantId })
    const heard = await until('both to hear of it', async () => {
      const first = await toldTo(page)
      return first.length + (await toldTo(second)).length >= 5 && first
    })
    expect(heard).toStrictEqual([
      { event: 'grantsChanged', payload: { grants: [aGrant({ ...grant })] } },
      { event: 'grantRevoked', payload: { grantId: grant.grantId, by: 'page' } },
      { event: 'grantsChanged', payload: { grants: [] } },
    ])
    expect(await toldTo(second)).toStrictEqual(heard.slice(1))
    expect(await toldTo(stranger)).toEqual([])
    await second.close()
    await expectNothingLeft()
  })

  test('grantRevoked: { grantId, by: page }; a listener that was removed hears nothing', async () => {
    await page.evaluate(() =>
      (window as unknown as { forget(event: string): void }).forget('grantsChanged'),
    )
    const before = await toldTo(page)
    const { grantId } = grant
    await call(page, 'northbound_revoke', { grantId })
    expect(await hearing('page')).toStrictEqual({ grantId, by: 'page' })
    // The news of the grants is sent after that of the grant, and before the call is answered.
    expect((await toldTo(page)).slice(before.length)).toHaveLength(1)
    await expectNothingLeft()
  })

  test('grantRevoked: { grantId, by: user }, in the popup', async () => {
    const popup = await openScreen(stage)
    await popup.waitForSelector('button')
    await popup.evaluate(() => {
      const buttons = [...document.querySelectorAll('button')]
      buttons
        .find(({ textContent }) => /disconnect|revoke|remove/i.test(textContent ?? ''))
        ?.click()
    })
    expect(await hearing('user')).toStrictEqual({ grantId: grant.grantId, by: 'user' })
    await popup.close()
    await expectNothingLeft()
  })

  test('grantRevoked: { grantId, by: network, cause }, in the resource owner function (TS 29.222 SecurityNotification)', async () => {
    const account = await stage.browser.newPage()
    await account.goto(`${new URL(stage.network.issuer).origin}/account`)
    const [subscriber] = stage.network.subscribers.all
    if (await account.$('form[data-form=password]')) {
      await account.type('[name=phone_number]', subscriber?.phoneNumber ?? '')
      await account.type('[name=password]', subscriber?.password ?? '')
      await account.click('form[data-form=password] [type=submit]')
    }
    const form = `form[data-form="revoke ${CLIENT_ID} ${capifWish().issuer}"]`
    await account.waitForSelector(form)
    await account.click(`${form} [type=submit]`)
    expect(await hearing('network')).toStrictEqual({
      grantId: grant.grantId,
      by: 'network',
      cause: 'AUTHORIZATION_ISSUE',
    })
    await account.close()
    // Taken back, the authorization is no more on record.
    signedIn = false
    await expectNothingLeft()
  })

  // The last one: from here on there is no broker.
  test('disconnect: {}, and 4900 broker_gone: the extension was removed', async () => {
    await stage.browser.uninstallExtension(name === 'chromium' ? CHROMIUM_ID : GECKO_ID)
    const heard = await until(
      'the news',
      async () => (await toldTo(page)).filter(({ event }) => event === 'disconnect')[0],
      20_000,
    )
    expect(heard).toStrictEqual({ event: 'disconnect', payload: {} })
    expectError(await call(page, 'northbound_getGrants'), 4900, 'broker_gone')
    const again = await page.evaluate(
      () =>
        new Promise((resolve) => {
          window.addEventListener('northbound:announceProvider', () => resolve(true))
          window.dispatchEvent(new Event('northbound:requestProvider'))
          setTimeout(resolve, 300, false)
        }),
    )
    expect(again).toBe(false)
  })
})
