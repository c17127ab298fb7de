/** Stops the worker of the broker, in the way that each browser provides. */

import type { Page } from 'puppeteer-core'

export interface WorkerSwitch {
  /** A page of the broker's own origin. */
  page: Page
  stop(): Promise<void>
  close(): Promise<void>
}
