/**
 * Observes from outside if the broker's worker runs. No debugger is attached to the worker, since that would
 * keep it alive. Chromium lists its workers. Firefox's own page of extensions can inspect its event pages.
 */

import { GECKO_ID } from '../../../extension/identity.ts'
import { openExtensionsPage } from './extensions-page.ts'
import type { Stage } from './stage.ts'

export interface WorkerLife {
  /** Identifies the worker, if the browser distinguishes workers. `undefined` while no worker runs. */
  current(): Promise<string | undefined>
}

interface Privileged {
  WebExtensionPolicy: { getByID(id: string): { extension: { backgroundState: string } } }
}

export async function watchWorker(stage: Stage): Promise<WorkerLife> {
  if (stage.name === 'chromium') {
    const session = await stage.browser.target().createCDPSession()
    return {
      async current() {
        const { targetInfos } = await session.send('Target.getTargets')
        return targetInfos.find(({ type }) => type === 'service_worker')?.targetId
      },
    }
  }
  const page = await openExtensionsPage(stage)
  return {
    async current() {
      const state = await page.evaluate(
        (id) =>
          (globalThis as unknown as Privileged).WebExtensionPolicy.getByID(id).extension
            .backgroundState,
        GECKO_ID,
      )
      return state === 'stopped' ? undefined : state
    },
  }
}

/** Returns every worker that runs in this time, and `undefined` if there is a moment without a worker. */
export async function workersDuring(
  worker: WorkerLife,
  ms: number,
): Promise<(string | undefined)[]> {
  const seen = new Set<string | undefined>()
  const end = Date.now() + ms
  while (Date.now() < end) {
    seen.add(await worker.current())
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return [...seen]
}
