/**
 * Stops the broker's worker as the browser itself does: without a word to the code in it. In Chromium the
 * page that holds the switch belongs to the broker, but loads none of its scripts.
 */

import { eventPageSwitch } from './event-page.ts'
import { until } from './pages.ts'
import type { Stage } from './stage.ts'
import type { WorkerSwitch } from './worker-switch.ts'

export type { WorkerSwitch }

type SwitchStage = Pick<Stage, 'name' | 'browser' | 'brokerOrigin'>

export function workerSwitch(stage: SwitchStage): Promise<WorkerSwitch> {
  return stage.name === 'chromium' ? serviceWorkerSwitch(stage) : eventPageSwitch(stage)
}

/** Longer than a worker takes to begin. */
const PAUSED_MS = 2_000

/**
 * The driver has each worker wait for it at its start, and at times forgets one that begins right after
 * another was stopped: it would wait on.
 */
async function letBegin({ browser, brokerOrigin }: SwitchStage): Promise<void> {
  const workers = browser.targets().filter((each) => each.type() === 'service_worker')
  for (const worker of workers.filter((each) => each.url().startsWith(`${brokerOrigin}/`))) {
    const session = await worker.createCDPSession()
    // Who is attached keeps it alive.
    await session.send('Runtime.runIfWaitingForDebugger').finally(() => session.detach())
  }
}

async function serviceWorkerSwitch(stage: SwitchStage): Promise<WorkerSwitch> {
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const session = await page.createCDPSession()
  let running = false
  let stops = 0
  let beginning: ReturnType<typeof setInterval> | undefined
  session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { scriptURL, runningStatus } of versions) {
      if (!scriptURL.startsWith(`${stage.brokerOrigin}`)) continue
      if (running && runningStatus === 'stopped') stops += 1
      running = runningStatus !== 'stopped'
      clearInterval(beginning)
      if (runningStatus === 'starting') {
        // Again until it runs.
        beginning = setInterval(() => void letBegin(stage).catch(() => {}), PAUSED_MS).unref()
      }
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
    close() {
      clearInterval(beginning)
      return page.close()
    },
  }
}
