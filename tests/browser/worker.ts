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

export async function workerSwitch(stage: Stage): Promise<WorkerSwitch> {
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const session = await page.createCDPSession()
  await session.send('ServiceWorker.enable')
  const worker = () =>
    stage.browser
      .targets()
      .find(
        (each) =>
          each.type() === 'service_worker' && each.url().startsWith(`${stage.brokerOrigin}`),
      )
  return {
    page,
    async stop() {
      const running = worker()
      await session.send('ServiceWorker.stopAllWorkers')
      // A call that is asked again may have woken a new one by now.
      if (running) await until('the worker to stop', async () => worker() !== running)
    },
    close: () => page.close(),
  }
}
