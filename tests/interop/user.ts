/** Acts as the user on the pages of an authorization server: signs in, allows, and remembers how often. */

import type { Browser, Page } from 'puppeteer-core'
import type { Form } from './servers.ts'

export interface User {
  /** Number of windows in which the password was typed. */
  readonly signIns: number
  /** Number of forms that were sent. */
  readonly forms: number
  /** Pages that stayed and had no known form: their addresses without query, and the beginning of their texts. */
  listUnknownPages(): string[]
  leave(): Promise<void>
}

const PAUSE_MS = 100
/** Looks at a page after which it counts as one that stays. */
const PATIENCE = 30

/** Marks a document whose form is sent, so that no form is sent twice. */
const SENT = 'data-northkey-sent'

async function sendForm(page: Page, form: Form): Promise<boolean> {
  const selectors = [...Object.keys(form.fill ?? {}), form.press]
  for (const selector of selectors) if (!(await page.$(selector))) return false
  const isNew = await page.evaluate(
    (mark, press) => {
      const { documentElement } = document
      const sent = documentElement.getAttribute(mark) ?? ''
      if (document.readyState !== 'complete' || sent.includes(press)) return false
      documentElement.setAttribute(mark, `${sent} ${press}`)
      return true
    },
    SENT,
    form.press,
  )
  if (!isNew) return false
  for (const [selector, value] of Object.entries(form.fill ?? {})) await page.type(selector, value)
  if (form.tick !== undefined) {
    for (const box of await page.$$(`${form.tick}:not(:checked):not([disabled])`)) await box.click()
  }
  // The page may be left before the driver gets the answer to its click.
  await page.click(form.press).catch(() => {})
  return true
}

/** @param origins Origins of the server's pages. */
export function startUser(
  browser: Browser,
  origins: ReadonlySet<string>,
  forms: readonly Form[],
): User {
  let hasLeft = false
  let signIns = 0
  let sent = 0
  const looks = new Map<string, { count: number; text: string }>()
  async function lookAt(page: Page): Promise<void> {
    const url = page.url()
    if (!URL.canParse(url) || !origins.has(new URL(url).origin)) return
    for (const form of forms) {
      if (!(await sendForm(page, form))) continue
      sent += 1
      if (form.isSignIn) signIns += 1
      return
    }
    const address = url.split('?')[0] ?? ''
    const text = await page.evaluate(() => document.body.innerText.slice(0, 300))
    looks.set(address, { count: (looks.get(address)?.count ?? 0) + 1, text })
  }
  async function act(): Promise<void> {
    while (!hasLeft) {
      // A window may close while it is looked at.
      for (const page of await browser.pages()) await lookAt(page).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
  const acting = act()
  return {
    get signIns() {
      return signIns
    },
    get forms() {
      return sent
    },
    listUnknownPages: () =>
      [...looks]
        .filter(([, { count }]) => count > PATIENCE)
        .map(([address, { text }]) => `${address} ${JSON.stringify(text)}`),
    leave() {
      hasLeft = true
      return acting
    },
  }
}
