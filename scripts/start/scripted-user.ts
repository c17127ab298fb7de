/**
 * The main job, carried out by a scripted user in a real browser: connect, consent, sign in, authorize,
 * boost. The user's part is all that is scripted; page, extension and servers run as they are.
 */

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import type { Servers } from './servers.ts'

const TIMEOUT_MS = 30_000
const POLL_MS = 50
const RESIZE_MS = 200
const MEASURE_MS = 1_200

/** As large as the broker opens its windows; a headless browser makes all of them alike. */
const WINDOW = { width: 480, height: 720 }

/** What the page shows in the end. */
export interface MainJobResult {
  /** For instance `201 Created`. */
  status: string
  body: string
  /** Downlink as the page measured it, before and after. */
  rates: [before: string, after: string]
  /** Files, in the order of the steps. */
  screenshots: string[]
}

/** A window that is just opening has no address yet. */
function getUrl(page: Page): string {
  try {
    return page.url()
  } catch {
    return ''
  }
}

async function waitForPage(browser: Browser, address: string): Promise<Page> {
  const end = Date.now() + TIMEOUT_MS
  while (Date.now() < end) {
    for (const page of await browser.pages()) if (getUrl(page).startsWith(address)) return page
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`no window of ${new URL(address).host} opened within ${TIMEOUT_MS / 1000} s`)
}

async function clickElement(page: Page, selector: string): Promise<void> {
  const usable = `${selector}:not([disabled]):not([aria-disabled=true])`
  await page.waitForSelector(usable, { visible: true, timeout: TIMEOUT_MS })
  await page.click(usable)
}

const selectByTestId = (name: string) => `[data-testid=${name}]`

async function readText(page: Page, name: string): Promise<string> {
  await page.waitForSelector(selectByTestId(name), { timeout: TIMEOUT_MS })
  return page.$eval(selectByTestId(name), (element) => element.textContent ?? '')
}

/** @throws Error that says at which step, with the error that the page shows. */
export async function runMainJob(
  browser: Browser,
  { site, network }: Servers,
  folder: string,
  report: (line: string) => void,
): Promise<MainJobResult> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const screenshots: string[] = []

  async function takeScreenshot(page: Page, name: string, fullPage = true): Promise<void> {
    const file = join(folder, `${screenshots.length + 1}-${name}.png`) as `${string}.png`
    await page.screenshot({ path: file, fullPage })
    screenshots.push(file)
  }

  report('Opening the application …')
  const page = await browser.newPage()
  // The picture stands still, so that each run's screenshots are the same.
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }])
  await page.goto(site.origin)
  await page.waitForSelector(`${selectByTestId('broker-state')}[data-state=found]`, {
    timeout: TIMEOUT_MS,
  })
  await takeScreenshot(page, 'application')

  report('Connecting: the broker asks the user …')
  await clickElement(page, selectByTestId('connect'))
  const consent = await waitForPage(browser, `chrome-extension://${CHROMIUM_ID}/ui/consent/`)
  await consent.setViewport(WINDOW)
  await consent.bringToFront()
  await consent.waitForSelector(selectByTestId('allow'), { timeout: TIMEOUT_MS })
  // The window's new size disarms its buttons for a while, and so would a picture of the full page.
  await new Promise((resolve) => setTimeout(resolve, RESIZE_MS))
  await consent.waitForSelector(`${selectByTestId('allow')}:not([disabled])`, {
    timeout: TIMEOUT_MS,
  })
  await takeScreenshot(consent, 'consent', false)
  await clickElement(consent, selectByTestId('allow'))

  report('The resource owner signs in and authorizes …')
  const operator = await waitForPage(browser, network.issuer)
  await operator.waitForSelector('form[data-form=password]', { timeout: TIMEOUT_MS })
  await operator.setViewport(WINDOW)
  const [subscriber] = network.subscribers.all
  if (!subscriber) throw new Error('the network has no subscriber')
  await operator.type('[name=phone_number]', subscriber.phoneNumber)
  await takeScreenshot(operator, 'sign-in')
  await operator.type('[name=password]', subscriber.password)
  await clickElement(operator, 'form[data-form=password] [type=submit]')
  await operator.waitForSelector('form[data-form=consent]', { timeout: TIMEOUT_MS })
  await takeScreenshot(operator, 'authorize')
  await clickElement(operator, 'form[data-form=consent] [value=allow]')
  await waitForElementOrError(page, 'boost')
  await page.bringToFront()
  await takeScreenshot(page, 'connected')

  const before = await readText(page, 'downlink')

  report('Calling the northbound API …')
  await clickElement(page, selectByTestId('boost'))
  await waitForElementOrError(page, 'result')
  const status = await readText(page, 'result-status')
  if (!status.startsWith('201')) throw new Error(`the API answered ${status}, expected 201`)
  // The picture follows the rate that the page measures.
  await page.waitForSelector(`${selectByTestId('stage')}[data-quality=priority]`, {
    timeout: TIMEOUT_MS,
  })
  // Two windows of measurement at the new rate.
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS))
  const after = await readText(page, 'downlink')
  await takeScreenshot(page, 'result')

  const popup = await browser.newPage()
  await popup.setViewport({ width: 400, height: 480 })
  await popup.goto(`chrome-extension://${CHROMIUM_ID}/ui/popup/index.html`)
  await popup.waitForSelector('#screen > *', { timeout: TIMEOUT_MS })
  await takeScreenshot(popup, 'broker', false)
  return {
    rates: [before, after],
    status,
    body: await readText(page, 'result-body'),
    screenshots,
  }
}

/** Waits for an element of the page, or for the error that comes in its place. */
async function waitForElementOrError(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`${selectByTestId(name)}, ${selectByTestId('error')}`, {
    timeout: TIMEOUT_MS,
  })
  if (!(await page.$(selectByTestId('error')))) return
  const [code, word] = [await readText(page, 'error-code'), await readText(page, 'error-name')]
  throw new Error(`the page shows the error ${code} ${word}`)
}
