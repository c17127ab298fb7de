/**
 * Tests section 3 of the contract: the events when the grants of an origin change, when a grant is revoked in
 * the popup, by the page or in the network, and when the broker is gone. The events go to the documents of
 * that origin, and to no others.
 *
 * Seen to fail when:
 * - `cause` is not transmitted;
 * - `grantsChanged` contains records of the broker;
 * - `removeListener` keeps the listener;
 * - the end of a grant sends `grantsChanged` alone, or the alarm of a development build is 30 s away;
 * - an event goes to every tab and the content script does not check its origin.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { Grant, Provider, ProviderEvent } from '../../../shared/messages/page-api.ts'
import { test as base } from '../fixtures.ts'
import { subscriptionsUrl } from '../support/api-calls.ts'
import { findsBroker } from '../support/discovery.ts'
import { connectQuickly } from '../support/known-subscriber.ts'
import { wishFor } from '../support/operator-wish.ts'
import { openPage, until } from '../support/pages.ts'
import { submitPassword } from '../support/password-form.ts'
import { aGrant, expectError } from '../support/shapes.ts'
import { CLIENT_ID, call, openScreen } from '../support/stage.ts'

interface ReceivedEvent {
  event: ProviderEvent
  payload: unknown
}

const EVENTS: ProviderEvent[] = ['grantsChanged', 'grantRevoked', 'grantExpired', 'disconnect']

/** Makes the page record the events that it receives. `forget` removes the listener of an event. */
async function listen(page: Page): Promise<Page> {
  await page.evaluate(async (events) => {
    const { provider } = (await window.broker()) as { provider: Provider }
    const received: ReceivedEvent[] = []
    const listeners = new Map(
      events.map((event) => [event, (payload: unknown) => received.push({ event, payload })]),
    )
    for (const [event, listener] of listeners) provider.on(event, listener)
    const forget = (event: ProviderEvent) =>
      provider.removeListener(event, listeners.get(event) ?? (() => {}))
    Object.assign(window, { received, forget })
  }, EVENTS)
  return page
}

const receivedBy = (page: Page) =>
  page.evaluate(() => (window as unknown as { received: ReceivedEvent[] }).received)

/** Returns the payload of the first event with this name that the page receives. */
const payloadOf = (page: Page, event: ProviderEvent): Promise<unknown> =>
  until(`the event ${event}`, async () => {
    const received = await receivedBy(page)
    return received.find((candidate) => candidate.event === event)?.payload
  })

/** A page that listens, and its grant at the operator whose network sends revocations (TS 29.222). */
const test = base
  .extend('page', async ({ stage }) => listen(await stage.open()))
  .extend('granted', async ({ stage, page }): Promise<Grant> => {
    const { result, error } = await connectQuickly(stage, page, wishFor(stage, 'capif'))
    if (!result) throw new Error(`no grant: ${error?.message}`)
    return result
  })

async function expectNothingLeft(page: Page, grant: Grant): Promise<void> {
  expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  const url = subscriptionsUrl(grant)
  expectError(await call(page, 'northbound_fetch', { url }), 4100, 'no_grant')
}

describe('a page that listens and revokes', () => {
  test('grantsChanged: { grants } as they are now, to the documents of that origin alone', async ({
    stage,
    page,
    granted,
    stranger,
  }) => {
    const second = await listen(await stage.open('/second'))
    await listen(stranger)
    await call(page, 'northbound_revoke', { grantId: granted.grantId })
    const received = await until('the events at both pages', async () => {
      const first = await receivedBy(page)
      return first.length + (await receivedBy(second)).length >= 5 && first
    })
    expect(received).toStrictEqual([
      { event: 'grantsChanged', payload: { grants: [aGrant({ ...granted })] } },
      { event: 'grantRevoked', payload: { grantId: granted.grantId, by: 'page' } },
      { event: 'grantsChanged', payload: { grants: [] } },
    ])
    expect(await receivedBy(second)).toStrictEqual(received.slice(1))
    // Barrier: the events were sent before this answer.
    await call(stranger, 'broker_getInfo')
    expect(await receivedBy(stranger)).toEqual([])
    await expectNothingLeft(page, granted)
  })

  test('grantRevoked: { grantId, by: page }; a listener that was removed is not called', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    const second = await listen(await stage.open('/second'))
    await page.evaluate(() =>
      (window as unknown as { forget(event: string): void }).forget('grantsChanged'),
    )
    const before = (await receivedBy(page)).length
    await call(page, 'northbound_revoke', { grantId })
    expect(await payloadOf(page, 'grantRevoked')).toStrictEqual({ grantId, by: 'page' })
    // `grantsChanged` is the last event, and every document receives it before the call is answered.
    await payloadOf(second, 'grantsChanged')
    expect((await receivedBy(page)).slice(before)).toHaveLength(1)
  })
})

describe('a page that listens while others revoke', () => {
  test('grantRevoked: { grantId, by: user }, in the popup', async ({ stage, page, granted }) => {
    const popup = await openScreen(stage)
    await popup.waitForSelector('button')
    await popup.evaluate(() => {
      const buttons = [...document.querySelectorAll('button')]
      buttons
        .find(({ textContent }) => /disconnect|revoke|remove/i.test(textContent ?? ''))
        ?.click()
    })
    const { grantId } = granted
    expect(await payloadOf(page, 'grantRevoked')).toStrictEqual({ grantId, by: 'user' })
    await expectNothingLeft(page, granted)
  })

  test('grantRevoked: { grantId, by: network, cause }, in the resource owner function (TS 29.222 SecurityNotification)', async ({
    stage,
    page,
    granted,
  }) => {
    const account = await openPage(stage.browser, `${stage.network.origin}/account`)
    await submitPassword(account, stage.subscriber)
    const form = `form[data-form="revoke ${CLIENT_ID} ${granted.issuer}"]`
    await account.waitForSelector(form)
    await account.click(`${form} [type=submit]`)
    expect(await payloadOf(page, 'grantRevoked')).toStrictEqual({
      grantId: granted.grantId,
      by: 'network',
      cause: 'AUTHORIZATION_ISSUE',
    })
    await expectNothingLeft(page, granted)
  })
})

describe('a page that listens when its grant ends', () => {
  const expiring = test.extend('options', { limits: { DAY_GRANT_LIFETIME_MS: 3_000 } })

  expiring(
    'grantExpired: { grantId }, by its own time, and then grantsChanged (F10)',
    async ({ page, granted }) => {
      const { grantId } = granted
      expect(await payloadOf(page, 'grantExpired')).toStrictEqual({ grantId })
      await until('the event grantsChanged', async () => (await receivedBy(page)).length >= 3)
      expect((await receivedBy(page)).slice(-2)).toStrictEqual([
        { event: 'grantExpired', payload: { grantId } },
        { event: 'grantsChanged', payload: { grants: [] } },
      ])
      expect(Date.now()).toBeGreaterThanOrEqual(granted.expiresAt)
      await expectNothingLeft(page, granted)
    },
  )
})

describe('a page that listens while the extension is removed', () => {
  test('disconnect: {}, and 4900 broker_gone: the extension was removed', async ({
    host,
    page,
  }) => {
    await host.uninstall()
    expect(await payloadOf(page, 'disconnect')).toStrictEqual({})
    expectError(await call(page, 'northbound_getGrants'), 4900, 'broker_gone')
    expect(await findsBroker(page)).toBe(false)
  })
})
