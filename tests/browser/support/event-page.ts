/**
 * Stops Firefox's event page as the browser itself does, but at once and even while the page is busy. The
 * document goes away with its scripts, timers and requests, and no code in it is notified.
 */

import { GECKO_ID } from '../../../extension/identity.ts'
import { openExtensionsPage } from './extensions-page.ts'
import { openScreen, type Stage } from './stage.ts'
import type { WorkerSwitch } from './worker-switch.ts'

interface View {
  viewType: string
}

interface Privileged {
  ChromeUtils: { requestProcInfo(): Promise<{ children: { type: string; pid: number }[] }> }
  WebExtensionPolicy: {
    getByID(id: string): {
      extension: {
        views: Set<View>
        terminateBackground(how: Record<string, boolean>): Promise<void>
      }
    }
  }
}

export async function eventPageSwitch(
  stage: Pick<Stage, 'name' | 'browser' | 'brokerOrigin'>,
): Promise<WorkerSwitch> {
  const settings = await openExtensionsPage(stage)
  const page = await openScreen(stage)
  return {
    page,
    async stop() {
      await settings.evaluate(async (id) => {
        const { extension } = (globalThis as unknown as Privileged).WebExtensionPolicy.getByID(id)
        // No function here has a name: the loader of the storm would add a helper that this page has not got.
        const running = [...extension.views].find(({ viewType }) => viewType === 'background')
        // A message during the stop keeps the page alive, and a call that is resent may have started a new page.
        while (running && extension.views.has(running)) {
          await extension.terminateBackground({
            disableResetIdleForTest: true,
            ignoreDevToolsAttached: true,
          })
        }
      }, GECKO_ID)
    },
    async close() {
      await Promise.all([page.close(), settings.close()])
    },
  }
}

/**
 * Kills the processes of this Firefox that run extensions, as an operating system does when memory runs out.
 */
export async function killExtensionProcess(stage: Pick<Stage, 'name' | 'browser'>): Promise<void> {
  const settings = await openExtensionsPage(stage)
  const pids = await settings.evaluate(async () => {
    const { children } = await (globalThis as unknown as Privileged).ChromeUtils.requestProcInfo()
    return children.filter(({ type }) => type === 'extension').map(({ pid }) => pid)
  })
  if (pids.length === 0) throw new Error('no process of extensions')
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await settings.close()
}
