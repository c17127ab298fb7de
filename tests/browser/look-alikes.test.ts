/**
 * Tests origins that look like a site that is switched on, in a browser whose user gave the permission for
 * every https site. Two checks stop such an origin: the match pattern that the scripts are registered for,
 * and the broker's own list of sites. `tests/extension/background/page/sender.test.ts` has a table of the
 * comparison itself.
 *
 * Seen to fail when the scripts are registered for all of https (every row except the http row, for which the
 * browser cannot give the permission), when `isSiteOn` always returns true (the trailing dot), and when
 * nothing is registered (upper case).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { findsBroker } from './support/discovery.ts'
import {
  ask,
  OTHER_SITE,
  openPopup,
  SITE,
  type SitesStage,
  startSitesStage,
  switchSiteOn,
} from './support/sites-stage.ts'

let stage: SitesStage

// The rows change nothing, so they share a stage.
test.beforeAll(async ({ hosts }) => {
  stage = await startSitesStage(await hosts.get())
  const popup: Page = await openPopup(stage)
  await switchSiteOn(stage, popup, SITE)
  await stage.giveAll(popup)
})
test.afterAll(() => stage?.close())

describe('beside a site that is switched on', () => {
  const lookAlikes = [
    OTHER_SITE,
    'http://play.example',
    'https://play.example.evil.example',
    'https://evil-play.example',
    'https://eu.play.example',
    'https://xn--ply-8cd.example',
  ]
  test.each(lookAlikes)('B09, B10: %s is another site, and finds nothing', async (origin) => {
    expect(await findsBroker(await stage.open(origin))).toBe(false)
  })

  // Chromium's match patterns and the DNS treat it as the same host. The broker treats it as another origin.
  test('B09: with a dot at its end it is another site, and gets nothing', async () => {
    const page = await stage.open(`${SITE}.`)
    expect(await findsBroker(page)).toBe(BROWSER === 'chromium')
    if (BROWSER !== 'chromium') return
    expect((await ask(page, 'broker_getInfo'))?.error).toMatchObject({ code: ERROR_CODE.noGrant })
  })

  test('B09: in upper case it is the same site', async () => {
    const page = await stage.open('https://PLAY.example')
    expect(await findsBroker(page)).toBe(true)
    expect((await ask(page, 'broker_getInfo'))?.result).toBeDefined()
  })
})
