/** Finds pages of the browser under test by the address that they show. */

import type { Browser, Page } from 'puppeteer-core'

const POLL_MS = 50

/** Reads the address in the page itself, since Firefox's driver has no address of the broker's own pages. */
export async function addressOf(page: Page): Promise<string> {
  const asked = (async () => page.evaluate(() => location.href))().catch(() => driversWord(page))
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve(driversWord(page)), 2_000)
  })
  return Promise.race([asked, late])
}

/** A page that is opening or closing has no address. */
function driversWord(page: Page): string {
  try {
    return page.url()
  } catch {
    return ''
  }
}

export async function pagesAt(browser: Browser, part: string): Promise<Page[]> {
  const found = []
  for (const page of await browser.pages()) {
    if ((await addressOf(page)).includes(part)) found.push(page)
  }
  return found
}

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const end = Date.now() + timeoutMs
  while (Date.now() < end) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}`)
}

export function pageAt(browser: Browser, part: string): Promise<Page> {
  return until(`a page at ${part}`, async () => (await pagesAt(browser, part))[0])
}

export async function gone(browser: Browser, part: string): Promise<void> {
  await until(
    `no page at ${part}`,
    async () => (await pagesAt(browser, part)).length === 0 || undefined,
  )
}

/** Firefox's driver fails to open or select a tab while the tab in front, or its window, closes. */
function tolerateClosing(error: Error): undefined {
  if (!/BrowsingContext does no longer exist/.test(error.message)) throw error
}

/** Opens an empty tab. */
export function openTab(browser: Browser): Promise<Page> {
  return until('a new tab', () => browser.newPage().catch(tolerateClosing))
}

/** Brings a page to the front before a click of the user. Hidden pages may not open windows. */
export async function inFront(page: Page): Promise<void> {
  await until('the page to come to the front', () =>
    page.bringToFront().then(() => true, tolerateClosing),
  )
  await until('the page to be seen', () => page.evaluate(() => !document.hidden))
}

/** Opens a new tab at an address. */
export async function openPage(browser: Browser, address: string): Promise<Page> {
  const page = await openTab(browser)
  await page.goto(address)
  return page
}
