/**
 * Whether the broker's worker runs, seen from outside: nobody is attached to it, since that would keep
 * it alive. Chromium lists its workers; Firefox's own page of extensions may look at its event pages.
 */

import { GECKO_ID } from '../../../extension/identity.ts'
import { openExtensionsPage } from './extensions-page.ts'
import type { Stage } from './stage.ts'

export interface WorkerLife {
  /** Tells one worker from another where the browser does; `undefined` while there is none. */
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

/** Every worker that runs in this time, and `undefined` if there is a moment without a worker. */
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
