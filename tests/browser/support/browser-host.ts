/**
 * Runs a browser in which tests install and remove the extension as often as they need. An installation takes
 * a fraction of the time of a new browser, and the browser deletes the extension's data at each removal.
 */

import type { Browser, Page } from 'puppeteer-core'
import { CHROMIUM_ID, GECKO_ID } from '../../../extension/identity.ts'
import { type BrowserName, type OpenOptions, openBrowser } from '../../../scripts/browsers.ts'
import { openExtensionsPage } from './extensions-page.ts'
import { type Outside, startOutside } from './outside.ts'

export interface BrowserHost {
  name: BrowserName
  browser: Browser
  /** The proxy of this browser, which records every request to another machine. */
  outside: Outside
  /**
   * Installs an extension from a folder, and replaces the previous extension.
   *
   * @returns The origin of the extension's own pages.
   */
  install(folder: string): Promise<string>
  /** @returns The origin of the pages of an installed extension, which may be another than the broker. */
  originOf(extensionId: string): Promise<string>
  /** Removes the extension, as a user may at any time. */
  uninstall(): Promise<void>
  /** Removes the extension, closes all tabs and windows, deletes all cookies. */
  reset(): Promise<void>
  close(): Promise<void>
}

interface Privileged {
  WebExtensionPolicy: { getByID(id: string): { mozExtensionHostname: string } }
}

/** Chromium starts two more processes for the address bar of each window, and one for the next page. */
const CHROMIUM_ARGS = [
  '--disable-gpu',
  '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,' +
    'SpareRendererForSitePerProcess,PreloadTopChromeWebUI',
]

const FIREFOX_PREFERENCES = {
  // Every request for a site permission is granted, since no driver can press the button of the permission prompt.
  'extensions.webextOptionalPermissionPrompts': false,
  // Firefox throttles the timers of hidden pages to seconds. Chromium's driver disables throttling itself.
  'dom.min_background_timeout_value': 4,
  'dom.min_background_timeout_value_without_budget_throttling': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  // No preallocated processes, and a lower frame rate: both would take CPU time from the tests.
  'dom.ipc.processPrelaunch.enabled': false,
  'layout.frame_rate': 20,
}

/** Opens a browser that sends all requests, except to loopback, to a proxy of the test. */
export async function openHost(
  name: BrowserName,
  {
    preferences,
    args = [],
    acceptInsecureCerts = true,
    ...options
  }: Omit<OpenOptions, 'extension'> = {},
): Promise<BrowserHost> {
  const outside = await startOutside()
  const browser = await openBrowser(name, {
    ...options,
    acceptInsecureCerts,
    args: [...(name === 'chromium' ? CHROMIUM_ARGS : []), ...args],
    proxy: outside.address,
    preferences: { ...FIREFOX_PREFERENCES, ...preferences },
  }).catch(async (error: unknown) => {
    await outside.close()
    throw error
  })
  const kept = new Set<Page>(await browser.pages())
  let installed: string | undefined

  // Firefox gives the extension a new origin with each installation. The browser's page of extensions has it.
  let extensionsPage: Page | undefined
  async function originOf(extensionId: string): Promise<string> {
    if (name === 'chromium') return `chrome-extension://${extensionId}`
    extensionsPage ??= await openExtensionsPage({ browser, name })
    kept.add(extensionsPage)
    const host = await extensionsPage.evaluate(
      (id) =>
        (globalThis as unknown as Privileged).WebExtensionPolicy.getByID(id).mozExtensionHostname,
      extensionId,
    )
    return `moz-extension://${host}`
  }

  async function uninstall(): Promise<void> {
    if (installed === undefined) return
    const id = installed
    installed = undefined
    await browser.uninstallExtension(id)
  }

  return {
    name,
    browser,
    outside,
    async install(folder) {
      await uninstall()
      installed = await browser.installExtension(folder)
      return originOf(name === 'chromium' ? CHROMIUM_ID : GECKO_ID)
    },
    uninstall,
    originOf,
    async reset() {
      await uninstall()
      for (const page of await browser.pages()) {
        // The page may have closed by itself meanwhile.
        if (!kept.has(page)) await page.close().catch(() => {})
      }
      await browser.deleteCookie(...(await browser.cookies()))
      outside.reset()
    },
    async close() {
      await browser.close()
      await outside.close()
    },
  }
}
