/**
 * Tests sites that the user switches on individually, for their exact origin, and switches off together with
 * all data that depends on them.
 *
 * Seen to fail when:
 * - `hasPermission` always returns true;
 * - plain http is accepted like https;
 * - a site does not include the hosts of its operators;
 * - `handlePermissionAdded` does nothing (on once the user said yes);
 * - in Firefox, the manifest registers the scripts for all of https (nobody switched on);
 * - the scripts are registered for all of https (is on alone);
 * - the pattern has no port in Chromium, and the check is a list of host names in Firefox (another port);
 * - the end of a site leaves its grants (C19);
 * - `handlePermissionRemoved` does not check the sites, or `disconnect` is sent only to tabs whose address
 *   can be read (E16);
 * - the end of a site is not logged.
 */

import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import type { LogEntry } from '../../shared/messages/screen-channel.ts'
import { BROWSER, test as base } from './fixtures.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { gone, inFront, pageAt } from './support/pages.ts'
import {
  ask,
  askBackground,
  listenForDisconnect,
  OTHER_SITE,
  openPopup,
  SITE,
  siteOf,
  switchSiteOn,
} from './support/sites-stage.ts'
import { answerConsent } from './support/stage.ts'

const test = base
  .extend('popup', ({ sitesStage }) => openPopup(sitesStage))
  .extend(
    'site',
    ({ popup }) =>
      () =>
        siteOf(popup, SITE),
  )

describe('a site', () => {
  test('that nobody switched on finds nothing', async ({ sitesStage, site }) => {
    const page = await sitesStage.open(SITE)
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
    expect((await site()).state).toBe('off')
  })

  test('cannot be switched on without the browser’s permission', async ({
    sitesStage,
    popup,
    site,
  }) => {
    const useSite = () => askBackground(popup, 'useSite', { origin: SITE })
    await expect(useSite()).rejects.toThrow('origin: expected the permission for it')
    expect((await site()).state).toBe('off')
    await sitesStage.give(popup, SITE)
    expect(await useSite()).toMatchObject({ state: 'on' })
  })

  test('with plain http, or with no origin at all, cannot be switched on', async ({ popup }) => {
    for (const origin of ['http://play.example', 'null', 'file://']) {
      expect((await siteOf(popup, origin)).state).toBe('unfit')
      await expect(askBackground(popup, 'useSite', { origin })).rejects.toThrow(
        'origin: expected an https origin',
      )
    }
    expect(await askBackground(popup, 'listSites', {})).toEqual([])
  })

  test('is asked for together with the operator’s servers, so that the user answers once', async ({
    sitesStage,
    site,
  }) => {
    const { permissions, operators } = await site()
    expect(permissions).toContain(`${SITE}/*`)
    expect(permissions).toContain('http://127.0.0.1/*')
    expect(operators).toEqual(sitesStage.network.operatorProfiles.map((profile) => profile.name))
  })

  test('is on once the user said yes, also if the popup is gone by then', async ({
    sitesStage,
    popup,
  }) => {
    await switchSiteOn(sitesStage, popup, SITE)
    const page = await sitesStage.open(SITE)
    expect((await ask(page, 'broker_getInfo'))?.result).toMatchObject({ protocol: '1' })
  })

  test('is on alone: no other site finds anything', async ({ sitesStage, popup }) => {
    await switchSiteOn(sitesStage, popup, SITE)
    await sitesStage.giveAll(popup)
    const otherPage = await sitesStage.open(OTHER_SITE)
    expect(await ask(otherPage, 'broker_getInfo')).toBeUndefined()
    const page = await sitesStage.open(SITE)
    expect((await ask(page, 'broker_getInfo'))?.result).toBeDefined()
  })

  test('of another port is another site, and gets nothing', async ({ sitesStage, popup }) => {
    await switchSiteOn(sitesStage, popup, SITE)
    const otherPage = await sitesStage.open(`${SITE}:8443`)
    const answer = await ask(otherPage, 'northbound_getGrants')
    if (BROWSER === 'chromium') expect(answer).toBeUndefined()
    else expect(answer?.error).toMatchObject({ code: ERROR_CODE.noGrant })
    const page = await sitesStage.open(SITE)
    expect((await ask(page, 'northbound_getGrants'))?.result).toEqual([])
  })

  test('C19: taken back in the popup, its grants are revoked, and its pages get nothing', async ({
    sitesStage,
    popup,
    site,
  }) => {
    await switchSiteOn(sitesStage, popup, SITE)
    await signInBeforehand(sitesStage)
    const page = await sitesStage.open(SITE)
    await inFront(page)
    const connecting = ask<Grant>(page, 'northbound_connect', sitesStage.wish())
    await answerConsent(sitesStage, 'allow')
    expect((await connecting)?.error).toBeUndefined()
    expect(await askBackground<unknown[]>(popup, 'listGrants', {})).toHaveLength(1)
    sitesStage.network.log.clear()
    expect(await askBackground(popup, 'stopSite', { origin: SITE })).toMatchObject({ state: 'off' })
    expect((await site()).state).toBe('off')
    expect(await askBackground(popup, 'listGrants', {})).toEqual([])
    expect(sitesStage.network.log.filter({ method: 'POST', path: /revocation$/ })).not.toEqual([])
    const answer = await ask(page, 'northbound_getGrants')
    // The call may arrive before the event that ends the provider.
    expect([ERROR_CODE.noGrant, ERROR_CODE.brokerGone]).toContain(answer?.error?.code)
    await page.reload()
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
  })

  test('E16: taken back in the browser’s own settings, everything ends too, and a window closes', async ({
    sitesStage,
    popup,
    site,
  }) => {
    await switchSiteOn(sitesStage, popup, SITE)
    const page = await sitesStage.open(SITE)
    await inFront(page)
    await listenForDisconnect(page)
    const connecting = ask<Grant>(page, 'northbound_connect', sitesStage.wish())
    await pageAt(sitesStage.browser, '/ui/consent/')
    await sitesStage.takeBack(popup, SITE)
    expect((await connecting)?.error).toMatchObject({ code: ERROR_CODE.accessDenied })
    await gone(sitesStage.browser, '/ui/consent/')
    expect((await site()).state).toBe('off')
    await expect.poll(() => page.evaluate(() => document.title)).toBe('disconnected')
    const answer = await ask(page, 'northbound_getGrants')
    expect(answer?.error).toMatchObject({ code: ERROR_CODE.brokerGone })
  })

  test('is in the log when it is switched on and off', async ({ sitesStage, popup, site }) => {
    await switchSiteOn(sitesStage, popup, SITE)
    await askBackground(popup, 'stopSite', { origin: SITE })
    await sitesStage.takeBack(popup, SITE).catch(() => {})
    await switchSiteOn(sitesStage, popup, SITE)
    await sitesStage.takeBack(popup, SITE)
    await expect.poll(async () => (await site()).state).toBe('off')
    const entries = await askBackground<LogEntry[]>(popup, 'readLog', {})
    const changes = entries
      .filter(({ event }) => event === 'site')
      .map(({ origin, outcome }) => `${origin} ${outcome}`)
    expect(changes).toEqual([`${SITE} off`, `${SITE} on`, `${SITE} off`, `${SITE} on`])
  })
})
