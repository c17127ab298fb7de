/**
 * Observes from outside if the broker's worker runs. No debugger is attached to the worker, since that would
 * keep it alive. Chromium lists its workers. Firefox's own page of extensions can inspect its event pages.
 */

import { GECKO_ID } from '../../../extension/identity.ts'
import { openExtensionsPage } from './extensions-page.ts'
import type { Stage } from './stage.ts'

export interface WorkerLife {
  /** Identifies the worker. `undefined` while no worker runs. */
  current(): Promise<string | undefined>
}

interface View {
  viewType: string
  /** Identifies the document, also among those of other processes. */
  childId: string
}

interface Privileged {
  WebExtensionPolicy: {
    getByID(id: string): { extension: { backgroundState: string; views: Set<View> } }
  }
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
      const id = await page.evaluate((geckoId) => {
        const { extension } = (globalThis as unknown as Privileged).WebExtensionPolicy.getByID(
          geckoId,
        )
        if (extension.backgroundState === 'stopped') return null
        return [...extension.views].find((view) => view.viewType === 'background')?.childId ?? null
      }, GECKO_ID)
      return id ?? undefined
    },
  }
}

/**
 * Returns the workers that run at the beginning and at the end of this time. The same worker means that it has
 * run all the time, since each worker has an id of its own.
 */
export async function workersAround(
  worker: WorkerLife,
  ms: number,
): Promise<[first: string | undefined, last: string | undefined]> {
  const first = await worker.current()
  await new Promise((resolve) => setTimeout(resolve, ms))
  return [first, await worker.current()]
}
