/**
 * What the disk may do: cleared, damaged, or written by a newer version. The broker begins anew; it
 * never hangs and never loops. Chromium alone lets a test do this.
 */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CDPSession, Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../../scripts/browsers.ts'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { gesture, quietFlow, startQuietStage } from './quiet.ts'
import { authorizationRequests, type Called, call, databaseText, type Stage } from './stage.ts'
import { type WorkerSwitch, workerSwitch } from './worker.ts'

describe('in chromium, when the storage fails', () => {
  let profile: string
  let stage: Stage
  let page: Page
  let worker: WorkerSwitch
  let session: CDPSession
  let origin: string

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
    ;({ stage, page } = await startQuietStage('chromium', { profile }))
    await prepare()
  })
  afterAll(async () => {
    await stage?.close()
    await rm(profile, { recursive: true, force: true })
  })

  async function prepare(): Promise<void> {
    worker = await workerSwitch(stage)
    session = await worker.page.createCDPSession()
    origin = stage.brokerOrigin ?? ''
  }

  afterEach(async () => {
    await call(page, 'northbound_revoke')
  })

  const flow = async (): Promise<Called<Grant>> => {
    await gesture(page)
    return call<Grant>(page, 'northbound_connect', stage.wish())
  }

  test('K12: after the site data are cleared the broker begins anew', async () => {
    expect((await flow()).result).toBeDefined()
    await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })
    // What a worker has in memory goes with the worker.
    await worker.stop()
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    const { error } = await call<FetchResult>(page, 'northbound_fetch', { url })
    expect(error?.data.error).toBe('no_grant')
    expect((await quietFlow(stage, page)).error).toBeUndefined()
  })

  test('K07, K05: a database of a newer version is left as it is, and a screen that holds it blocks nobody', async () => {
    expect((await quietFlow(stage, page)).error).toBeUndefined()
    await worker.stop()
    await worker.page.evaluate(async () => {
      const opening = indexedDB.open('northkey-grants', 7)
      opening.onupgradeneeded = () => opening.result.createObjectStore('later')
      await new Promise((resolve, reject) => {
        opening.onsuccess = resolve
        opening.onerror = reject
        opening.onblocked = reject
      })
      opening.result.transaction('later', 'readwrite').objectStore('later').put('kept', 1)
    })
    expect((await quietFlow(stage, page)).error).toBeUndefined()
    expect((await databaseText(worker.page)).later).toEqual(['kept'])
  })

  test('K13: twenty flows that were given up leave no record', async () => {
    const fault = stage.network.faults.add({ path: '/auth', action: { type: 'hang' } })
    for (let time = 0; time < 20; time++) {
      const asking = await stage.open()
      await gesture(asking)
      const before = authorizationRequests(stage).length
      call(asking, 'northbound_connect', stage.wish()).catch(() => {})
      await expect
        .poll(() => authorizationRequests(stage).length, { timeout: 15_000 })
        .toBe(before + 1)
      await asking.close()
    }
    stage.network.faults.remove(fault)
    await expect.poll(async () => (await databaseText(worker.page)).flows).toEqual([])
  }, 180_000)

  // The last ones: the browser starts again with what lies in the profile.
  test('K04, C21: with its database damaged the broker starts empty, and works', async () => {
    expect((await flow()).result).toBeDefined()
    await stage.browser.close()
    const folder = join(profile, 'Default', 'IndexedDB')
    const [database] = (await readdir(folder)).filter((each) => /^chrome-extension_/.test(each))
    for (const file of await readdir(join(folder, String(database)))) {
      if (/^(CURRENT|MANIFEST|.*\.log$)/.test(file)) {
        await writeFile(join(folder, String(database), file), 'not a database')
      }
    }
    stage.browser = await openBrowser('chromium', {
      extension: stage.extensionPath,
      proxy: stage.outside.address,
      profile,
    })
    page = await stage.browser.newPage()
    await page.goto(stage.application.origin)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    expect((await quietFlow(stage, page)).error).toBeUndefined()
  })
})
