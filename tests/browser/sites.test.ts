/**
 * Sites are switched on one by one, for their exact origin, and taken back with everything that hangs
 * on them.
 *
 * Seen to fail when `hasPermission` always says yes; when plain http is as good as https; when a site does
 * not bring its operators' hosts along; when `permissionAdded` does nothing (on once the user said yes); in
 * Firefox with the scripts in the manifest for all of https (nobody switched on); with a pattern without a
 * port in Chromium, and a list of host names in Firefox (another port); when the end of a site leaves its
 * grants (C19); when `permissionRemoved` does not look at the sites, or `disconnect` goes to tabs alone
 * whose address can be read (E16); and when the end of a site is not logged. "Is on alone" has the browser's permission in front of it: `look-alikes.test.ts` is without.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import type { LogEntry } from '../../shared/messages/screen-channel.ts'
import { inFront, pageAt, pagesAt, until } from './support/pages.ts'
import {
  ask,
  askBackground,
  hearDisconnect,
  OTHER_SITE,
  openPopup,
  SITE,
  type SitesStage,
  siteOf,
  startSitesStage,
  switchSiteOn,
} from './support/sites-stage.ts'
import { answerConsent, BROWSERS, type Called, signIn } from './support/stage.ts'

describe.each(BROWSERS)('in %s, a site', (name) => {
  let stage: SitesStage
  let page: Page
  let popup: Page

  beforeAll(async () => {
    stage = await startSitesStage(name)
    page = await stage.open(SITE)
    popup = await openPopup(stage)
  })
  afterAll(() => stage?.close())

  const site = (origin: string) => siteOf(popup, origin)
  const switchOn = () => switchSiteOn(stage, popup, SITE)

  async function connect(): Promise<Called<Grant> | undefined> {
    await inFront(page)
    const connecting = ask<Grant>(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'allow')
    await signIn(stage)
    return connecting
  }

  test('that nobody switched on finds nothing', async () => {
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
    expect((await site(SITE)).state).toBe('off')
  })

  test('cannot be switched on without the browser’s permission', async () => {
    await askBackground(popup, 'useSite', { origin: SITE }).catch(() => {})
    expect((await site(SITE)).state).toBe('off')
  })

  test('with plain http, or with no origin at all, cannot be switched on', async () => {
    for (const origin of ['http://play.example', 'null', 'file://']) {
      expect((await site(origin)).state).toBe('unfit')
      await askBackground(popup, 'useSite', { origin }).catch(() => {})
    }
    expect(await askBackground(popup, 'listSites', {})).toEqual([])
  })

  test('is asked for together with the operator’s servers, so that the user answers once', async () => {
    const { permissions, operators } = await site(SITE)
    expect(permissions).toContain(`${SITE}/*`)
    expect(permissions).toContain('http://127.0.0.1/*')
    expect(operators).toEqual(stage.network.operatorProfiles.map((profile) => profile.name))
  })

  test('is on once the user said yes, also if the popup is gone by then', async () => {
    await switchOn()
    await page.reload()
    expect((await ask(page, 'broker_getInfo'))?.result).toMatchObject({ protocol: '1' })
  })

  test('is on alone: no other site finds anything', async () => {
    const other = await stage.open(OTHER_SITE)
    expect(await ask(other, 'broker_getInfo')).toBeUndefined()
    await other.close()
  })

  test('of another port is another site, and gets nothing', async () => {
    const other = await stage.open(`${SITE}:8443`)
    const answer = await ask(other, 'northbound_getGrants')
    if (name === 'chromium') expect(answer).toBeUndefined()
    else expect(answer?.error).toMatchObject({ code: ERROR_CODE.noGrant })
    await other.close()
  })

  test('C19: taken back in the popup, its grants are revoked, and its pages get nothing', async () => {
    expect((await connect())?.error).toBeUndefined()
    expect(await askBackground<unknown[]>(popup, 'listGrants', {})).toHaveLength(1)
    stage.network.log.clear()
    expect(await askBackground(popup, 'stopSite', { origin: SITE })).toMatchObject({ state: 'off' })
    expect((await site(SITE)).state).toBe('off')
    expect(await askBackground(popup, 'listGrants', {})).toEqual([])
    expect(stage.network.log.filter({ method: 'POST', path: /revocation$/ })).not.toEqual([])
    const answer = await ask(page, 'northbound_getGrants')
    expect(answer?.result).toBeUndefined()
    await page.reload()
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
  })

  test('E16: taken back in the browser’s own settings, everything ends too, and a window closes', async () => {
    await stage.takeBack(popup, SITE).catch(() => {})
    await switchOn()
    await page.reload()
    await page.bringToFront()
    await hearDisconnect(page)
    const connecting = ask<Grant>(page, 'northbound_connect', stage.wish())
    await pageAt(stage.browser, '/ui/consent/')
    await stage.takeBack(popup, SITE)
    expect((await connecting)?.error?.code).toBeDefined()
    await until(
      'no window',
      async () => (await pagesAt(stage.browser, '/ui/consent/')).length === 0,
    )
    expect((await site(SITE)).state).toBe('off')
    await expect.poll(() => page.evaluate(() => document.title)).toBe('disconnected')
    const answer = await ask(page, 'northbound_getGrants')
    expect(answer?.result).toBeUndefined()
  })

  test('the log tells when it was switched on and off', async () => {
    const entries = await askBackground<LogEntry[]>(popup, 'readLog', {})
    const said = entries
      .filter(({ event }) => event === 'site')
      .map(({ origin, outcome }) => `${origin} ${outcome}`)
    expect(said).toEqual([`${SITE} off`, `${SITE} on`, `${SITE} off`, `${SITE} on`])
  })
})
