/** How many windows a call opened, for the contract's column "may open a window". */

import type { Target } from 'puppeteer-core'
import type { Stage } from './stage.ts'

/** Also counts windows that are closed again by the time the call settles. */
export async function windowsOpenedBy(
  { browser }: Stage,
  run: () => Promise<unknown>,
): Promise<number> {
  let opened = 0
  const count = (target: Target) => {
    if (target.type() === 'page') opened++
  }
  browser.on('targetcreated', count)
  try {
    await run()
    // News of a window comes before the answer to what is asked after it.
    await browser.pages()
  } finally {
    browser.off('targetcreated', count)
  }
  return opened
}
