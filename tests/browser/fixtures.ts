/**
 * Provides the fixtures of the browser tests. A test names its fixtures in its parameters, and no state of a test is
 * left for the next test:
 *
 * - `host`: the browser of this worker, which all its tests share.
 * - `stage`: a network, an application and an installation of the extension for this test alone.
 * - `page`: a tab of the application.
 * - `strangerApplication`, `stranger`: an application on an origin that no operator knows, and a tab of it.
 * - `granted`: the grant that the page got in the quickest way, for the API of `stage.wish(wish)`.
 * - `worker`: the switch that stops the broker's worker.
 * - `sitesStage`, instead of `stage`: https sites that the user switches on one by one.
 * - `demoPage`, instead of `stage`: the built demo page with a broker double, and no extension.
 *
 * A file sets options for all of its tests with `const test = base.extend('options', { … })`, the request of
 * the page with `.extend('wish', { … })`, and the build of `sitesStage` with `.extend('build', 'released')`.
 */

import { test as base, inject } from 'vitest'
import type { BrowserName } from '../../scripts/browsers.ts'
import type { ConnectParams, Grant } from '../../shared/messages/page-api.ts'
import { startApplication } from './support/application.ts'
import { type BrowserHost, openHost } from './support/browser-host.ts'
import { startPageStage } from './support/demo-page-stage.ts'
import { connectQuickly } from './support/known-subscriber.ts'
import { openPage } from './support/pages.ts'
import { startSitesStage } from './support/sites-stage.ts'
import { type StageOptions, startStage } from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The browser of this project. */
    browserName: BrowserName
    /** Whether the run is of `npm run test:full`. */
    isComplete: boolean
  }
}

/** The browser that runs the tests of this project. */
export const BROWSER = inject('browserName')
/** Whether a matrix of tests runs all of its combinations, or each pair of values only. */
export const IS_COMPLETE = inject('isComplete')

interface Hosts {
  get(): Promise<BrowserHost>
  close(): Promise<void>
}

const hostsByName = new Map<BrowserName, Hosts>()

/**
 * Opens the worker's browser at its first use, and again if it has ended. Vitest creates a worker-scoped
 * fixture for each `extend`; the browser stays the same.
 */
function hostOfWorker(name: BrowserName): Hosts {
  let opening: Promise<BrowserHost> | undefined
  const hosts = hostsByName.get(name) ?? {
    async get() {
      const host = await opening
      if (!host?.browser.connected) {
        await host?.outside.close()
        opening = openHost(name)
      }
      return opening as Promise<BrowserHost>
    },
    async close() {
      const closing = opening
      opening = undefined
      await (await closing)?.close()
    },
  }
  hostsByName.set(name, hosts)
  return hosts
}

export const test = base
  .extend('browserName', { scope: 'worker' }, BROWSER)
  .extend('hosts', { scope: 'worker' }, async ({ browserName }, { onCleanup }) => {
    const hosts = hostOfWorker(browserName)
    onCleanup(() => hosts.close())
    return hosts
  })
  .extend('host', ({ hosts }) => hosts.get())
  .extend('options', {} as StageOptions)
  .extend('stage', async ({ host, options }, { onCleanup }) => {
    const stage = await startStage(host, options)
    onCleanup(() => stage.close())
    return stage
  })
  .extend('page', ({ stage }) => stage.open())
  .extend('strangerApplication', async ({ stage: _ }, { onCleanup }) => {
    const application = await startApplication()
    onCleanup(() => application.close())
    return application
  })
  .extend('stranger', ({ stage, strangerApplication }) =>
    openPage(stage.browser, strangerApplication.origin),
  )
  .extend('wish', {} as Partial<ConnectParams>)
  .extend('granted', async ({ stage, page, wish }): Promise<Grant> => {
    const { result, error } = await connectQuickly(stage, page, stage.wish(wish))
    if (!result) throw new Error(`no grant: ${error?.message}`)
    return result
  })
  .extend('worker', async ({ stage }, { onCleanup }) => {
    const worker = await workerSwitch(stage)
    onCleanup(() => worker.close())
    return worker
  })
  .extend('build', 'development' as 'development' | 'released')
  .extend('sitesStage', async ({ host, build }, { onCleanup }) => {
    const stage = await startSitesStage(host, build)
    onCleanup(() => stage.close())
    return stage
  })
  .extend('demoPage', async ({ host }, { onCleanup }) => {
    const stage = await startPageStage(host)
    onCleanup(() => stage.close())
    return stage
  })
