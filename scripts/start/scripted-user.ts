/**
 * Performs the main job as a scripted user in a real browser: connect, consent, sign in, authorize, boost. Only the
 * user is scripted; page, extension and servers run unchanged.
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

/** Size of the windows of the broker, which a headless browser does not apply. */
const WINDOW = { width: 480, height: 720 }

/** Final state of the page. */
export interface MainJobResult {
  /** For instance `201 Created`. */
  status: string
  body: string
  /** Downlink that the page measured, before and after the session. */
  rates: [before: string, after: string]
  /** Files, in the order of the steps. */
  screenshots: string[]
}

/** Returns the URL of a page; a window that is still opening has none. */
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

/** @throws Error that names the failed step, or contains the error that the page shows. */
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
  // Without animation the screenshots of all runs are alike.
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
  // The broker disables its buttons after a resize, which a full-page screenshot would cause as well.
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
  // The picture quality follows the measured rate.
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

/** Waits for an element of the page. @throws Error when the page shows an error instead. */
async function waitForElementOrError(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`${selectByTestId(name)}, ${selectByTestId('error')}`, {
    timeout: TIMEOUT_MS,
  })
  if (!(await page.$(selectByTestId('error')))) return
  const [code, word] = [await readText(page, 'error-code'), await readText(page, 'error-name')]
  throw new Error(`the page shows the error ${code} ${word}`)
}
