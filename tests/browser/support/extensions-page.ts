/**
 * Opens the browser's own page of extensions. A test may do there whatever that page may do to an extension.
 */

import type { Browser, Page } from 'puppeteer-core'
import type { BrowserName } from '../../../scripts/browsers.ts'
import { addressOf, openTab, until } from './pages.ts'

/** Common members of a stage and a host. */
interface NamedBrowser {
  name: BrowserName
  browser: Browser
}

export async function openExtensionsPage({ browser, name }: NamedBrowser): Promise<Page> {
  const address = name === 'chromium' ? 'chrome://extensions/' : 'about:addons'
  const page = await openTab(browser)
  // Firefox's driver gets no load event of such a page.
  void page.goto(address).catch(() => {})
  await until('the page of extensions', async () => (await addressOf(page)).startsWith(address))
  return page
}

/**
 * Enables developer mode in Chromium. Without it, an unpacked extension stays disabled after it has reloaded
 * itself.
 */
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
