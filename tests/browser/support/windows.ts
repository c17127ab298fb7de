/** Counts the windows that a call opened, for the contract's column "may open a window". */

import type { Target } from 'puppeteer-core'
import type { Stage } from './stage.ts'

/** Counts also windows that are closed before the call settles. */
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
    // Barrier: the event of a window arrives before the answer to a later request.
    await browser.pages()
  } finally {
    browser.off('targetcreated', count)
  }
  return opened
}
