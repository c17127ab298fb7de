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

/** In Chromium, without which an extension from a folder stays off once it has reloaded itself. */
export async function useDeveloperMode(stage: Pick<Stage, 'browser' | 'name'>): Promise<void> {
  const page = await openExtensionsPage(stage)
  await page.evaluate(() => {
    interface Privileged {
      developerPrivate: { updateProfileConfiguration(change: object): Promise<void> }
    }
    const { chrome } = globalThis as unknown as { chrome: Privileged }
    return chrome.developerPrivate.updateProfileConfiguration({ inDeveloperMode: true })
  })
  await page.close()
}
