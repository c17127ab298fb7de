/**
 * Stops Chromium's service workers as the browser itself does: without a word to the code in them. The
 * page that holds the switch belongs to the broker, but loads none of its scripts.
 */

import type { Page } from 'puppeteer-core'
import { until } from './pages.ts'
import type { Stage } from './stage.ts'

export interface WorkerSwitch {
  page: Page
  stop(): Promise<void>
  close(): Promise<void>
}

export async function workerSwitch(
  stage: Pick<Stage, 'browser' | 'brokerOrigin'>,
): Promise<WorkerSwitch> {
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const session = await page.createCDPSession()
  let running = false
  let stops = 0
  session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { scriptURL, runningStatus } of versions) {
      if (!scriptURL.startsWith(`${stage.brokerOrigin}`)) continue
      if (running && runningStatus === 'stopped') stops += 1
      running = runningStatus !== 'stopped'
    }
  })
  await session.send('ServiceWorker.enable')
  return {
    page,
    async stop() {
      const before = stops
      const hasBegun = running
      await session.send('ServiceWorker.stopAllWorkers')
      // A call that is asked again may have woken a new one by now.
      if (hasBegun) await until('the worker to stop', async () => stops > before)
    },
    close: () => page.close(),
  }
}
