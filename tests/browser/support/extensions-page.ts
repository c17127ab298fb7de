/** The browser's own page of extensions: what it may do to them, a test may do there. */

import type { Browser, Page } from 'puppeteer-core'
import type { BrowserName } from '../../../scripts/browsers.ts'
import { addressOf, until } from './pages.ts'

/** A stage or a host has this shape. */
interface NamedBrowser {
  name: BrowserName
  browser: Browser
}

export async function openExtensionsPage({ browser, name }: NamedBrowser): Promise<Page> {
  const address = name === 'chromium' ? 'chrome://extensions/' : 'about:addons'
  const page = await browser.newPage()
  // Firefox's driver does not hear that such a page has loaded.
  void page.goto(address).catch(() => {})
  await until('the page of extensions', async () => (await addressOf(page)).startsWith(address))
  return page
}

/** In Chromium, without which an extension from a folder stays off once it has reloaded itself. */
export async function useDeveloperMode(stage: NamedBrowser): Promise<void> {
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
