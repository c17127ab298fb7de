/** The browser's own page of extensions: what it may do to them, a test may do there. */

import type { Page } from 'puppeteer-core'
import { addressOf, until } from './pages.ts'
import type { Stage } from './stage.ts'

export async function openExtensionsPage({
  browser,
  name,
}: Pick<Stage, 'browser' | 'name'>): Promise<Page> {
  const address = name === 'chromium' ? 'chrome://extensions/' : 'about:addons'
  const page = await browser.newPage()
  // Firefox's driver does not hear that such a page has loaded.
  void page.goto(address).catch(() => {})
  await until('the page of extensions', async () => (await addressOf(page)).startsWith(address))
  return page
}
