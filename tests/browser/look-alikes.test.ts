/**
 * Origins that look like a site that is switched on. The browser's permission, the registered scripts
 * and the broker's own list stand in their way one behind the other, so no single change of the code
 * makes a row fail here; the comparison itself is a table in `tests/extension/sender.test.ts`.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ask,
  OTHER_SITE,
  openPopup,
  SITE,
  type SitesStage,
  startSitesStage,
  switchSiteOn,
} from './sites-stage.ts'
import { BROWSERS } from './stage.ts'

describe.each(BROWSERS)('in %s, beside a site that is switched on', (name) => {
  let stage: SitesStage
  let popup: Page

  beforeAll(async () => {
    stage = await startSitesStage(name)
    popup = await openPopup(stage)
    await switchSiteOn(stage, popup, SITE)
  })
  afterAll(() => stage?.close())

  async function findsBroker(address: string): Promise<boolean> {
    const page = await stage.open(address)
    const answer = await ask(page, 'broker_getInfo')
    await page.close()
    return answer?.result !== undefined
  }

  const lookAlikes = [
    OTHER_SITE,
    'http://play.example',
    'https://play.example.evil.example',
    'https://evil-play.example',
    'https://eu.play.example',
    'https://xn--ply-8cd.example',
    'https://play.example.',
  ]
  test.each(lookAlikes)('B09, B10: %s is another site, and finds nothing', async (origin) => {
    expect(await findsBroker(origin)).toBe(false)
  })

  test('B09: in upper case it is the same site', async () => {
    expect(await findsBroker('https://PLAY.example')).toBe(true)
  })
})
