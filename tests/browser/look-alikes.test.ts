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
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import {
  ask,
  OTHER_SITE,
  openPopup,
  SITE,
  type SitesStage,
  startSitesStage,
  switchSiteOn,
} from './support/sites-stage.ts'
import { BROWSERS, type Called } from './support/stage.ts'

describe.each(BROWSERS)('in %s, beside a site that is switched on', (name) => {
  let stage: SitesStage
  let popup: Page

  beforeAll(async () => {
    stage = await startSitesStage(name)
    popup = await openPopup(stage)
    await switchSiteOn(stage, popup, SITE)
    await stage.giveAll(popup)
  })
  afterAll(() => stage?.close())

  async function asked(address: string): Promise<Called<unknown> | undefined> {
    const page = await stage.open(address)
    const answer = await ask(page, 'broker_getInfo')
    await page.close()
    return answer
  }

  const lookAlikes = [
    OTHER_SITE,
    'http://play.example',
    'https://play.example.evil.example',
    'https://evil-play.example',
    'https://eu.play.example',
    'https://xn--ply-8cd.example',
  ]
  test.each(lookAlikes)('B09, B10: %s is another site, and finds nothing', async (origin) => {
    expect(await asked(origin)).toBeUndefined()
  })

  // To Chromium's patterns it is the same host, as it is to the DNS; to the broker it is another origin.
  test('B09: with a dot at its end it is another site, and gets nothing', async () => {
    const answer = await asked(`${SITE}.`)
    if (name === 'chromium') expect(answer?.error).toMatchObject({ code: ERROR_CODE.noGrant })
    else expect(answer).toBeUndefined()
  })

  test('B09: in upper case it is the same site', async () => {
    expect((await asked('https://PLAY.example'))?.result).toBeDefined()
  })
})
