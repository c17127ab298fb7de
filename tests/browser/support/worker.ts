/**
 * Stops the broker's worker as the browser itself does, without notice to its code. In Chromium the page that
 * holds the switch belongs to the broker, but loads none of its scripts.
 */

import type { CDPSession } from 'puppeteer-core'
import { eventPageSwitch } from './event-page.ts'
import { openTab, until } from './pages.ts'
import type { Stage } from './stage.ts'
import type { WorkerSwitch } from './worker-switch.ts'

export type { WorkerSwitch }

const POLL_MS = 20

type SwitchStage = Pick<Stage, 'name' | 'browser' | 'brokerOrigin'>

export function workerSwitch(stage: SwitchStage): Promise<WorkerSwitch> {
  return stage.name === 'chromium' ? serviceWorkerSwitch(stage) : eventPageSwitch(stage)
}

/**
 * Starts workers that wait for a debugger. The driver makes every new worker wait for a debugger, resumes it, and
 * detaches. If the worker is stopped meanwhile, the driver's session stays attached, and Chromium gives the
 * session to the next worker. That worker waits too, and the driver is not notified of it.
 */
function createStarter(browserSession: CDPSession, brokerOrigin: string) {
  /** Session ids by target. */
  const sessions = new Map<string, string>()

  async function attach(targetId: string): Promise<string | undefined> {
    const known = sessions.get(targetId)
    if (known) return known
    const options = { targetId, flatten: true }
    // The target may be gone.
    const attached = await browserSession
      .send('Target.attachToTarget', options)
      .catch(() => undefined)
    if (attached) sessions.set(targetId, attached.sessionId)
    return attached?.sessionId
  }

  return {
    /**
     * Starts workers that wait, for as long as a worker starts: the browser may name the worker only after the
     * start has begun. A command reaches a worker once it is connected.
     */
    async letBegin(isStarting: () => boolean): Promise<void> {
      while (isStarting()) {
        const { targetInfos } = await browserSession.send('Target.getTargets')
        for (const { type, url, targetId } of targetInfos) {
          if (type !== 'service_worker' || !url.startsWith(`${brokerOrigin}/`)) continue
          const sessionId = await attach(targetId)
          const session = sessionId && browserSession.connection()?.session(sessionId)
          if (session) session.send('Runtime.runIfWaitingForDebugger').catch(() => {})
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
    /** Detaches the sessions: a worker with an attached session does not end by itself. */
    async detach(): Promise<void> {
      for (const [targetId, sessionId] of sessions) {
        sessions.delete(targetId)
        await browserSession.send('Target.detachFromTarget', { sessionId }).catch(() => {})
      }
    },
  }
}

async function serviceWorkerSwitch(stage: SwitchStage): Promise<WorkerSwitch> {
  const page = await openTab(stage.browser)
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const session = await page.createCDPSession()
  const browserSession = await stage.browser.target().createCDPSession()
  const starter = createStarter(browserSession, stage.brokerOrigin)
  let running = false
  let isStarting = false
  let stops = 0
  // A session that is attached after the start of its worker would stay attached.
  let step = Promise.resolve()
  session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { scriptURL, runningStatus } of versions) {
      if (!scriptURL.startsWith(`${stage.brokerOrigin}/`)) continue
      if (running && runningStatus === 'stopped') stops += 1
      running = runningStatus !== 'stopped'
      isStarting = runningStatus === 'starting'
      step = step
        .then(() => (isStarting ? starter.letBegin(() => isStarting) : starter.detach()))
        // The browser may close meanwhile.
        .catch(() => {})
    }
  })
  await session.send('ServiceWorker.enable')
  return {
    page,
    async stop() {
      const before = stops
      const hasBegun = running
      await session.send('ServiceWorker.stopAllWorkers')
      // A call that is resent may have started a new worker by now.
      if (hasBegun) await until('the worker to stop', async () => stops > before)
    },
    async close() {
      isStarting = false
      await step
      await starter.detach()
      await browserSession.detach()
      await page.close()
    },
  }
}
