/**
 * Origins that look like a site that is switched on, in a browser whose user gave the permission for every
 * https site: what stands in their way is the pattern that the scripts are registered for, and behind it the
 * broker's own list. The comparison itself is a table in `tests/extension/background/page/sender.test.ts`.
 *
 * Seen to fail when the scripts are registered for all of https (each row but the one with http, which
 * the browser has no permission to give), when `isSiteOn` asks nobody (the dot), and when nothing is
 * registered (upper case).
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

// The rows only look, so they share a stage.
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

  // To Chromium's patterns it is the same host, as it is to the DNS; to the broker it is another origin.
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
