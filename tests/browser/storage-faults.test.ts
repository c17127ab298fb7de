/**
 * What the disk may do: full, cleared, damaged, or written by a newer version. The broker begins anew; it
 * never hangs and never loops. Chromium alone lets a test do this.
 *
 * Seen to fail when `refresh` sends before it has written that it will (K03: the request goes out); when
 * grants have a copy in `storage.local` (K12, K04 with C21); when a database is opened as version 1 (K07),
 * or raised by one (K05: it waits for the screen without end); and when `servePage` and `tabClosed` forget
 * whose call it was, or `settle` keeps the record (K13).
 */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CDPSession, Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../../scripts/browsers.ts'
import {
  type AccessToken,
  ERROR_CODE,
  type FetchResult,
  type Grant,
} from '../../shared/messages/page-api.ts'
import { gesture, quietFlow, startQuietStage } from './support/known-subscriber.ts'
import { until } from './support/pages.ts'
import {
  authorizationRequests,
  type Called,
  call,
  databaseText,
  formOf,
  type Stage,
  tokenRequests,
} from './support/stage.ts'
import { type WorkerSwitch, workerSwitch } from './support/worker.ts'

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
      // A connection that nobody refers to is closed when memory is tidied up.
      Object.assign(globalThis, { held: opening.result })
    })
    expect((await quietFlow(stage, page)).error).toBeUndefined()
    expect((await databaseText(worker.page)).later).toEqual(['kept'])
    await worker.page.evaluate(() => {
      const { held } = globalThis as unknown as { held: IDBDatabase }
      // Throws where somebody has made it close.
      held.transaction('later')
      held.close()
    })
  })

  /** Whether the broker's origin has no room for one more record. */
  const isFull = () =>
    worker.page.evaluate(async () => {
      const opening = indexedDB.open('probe')
      opening.onupgradeneeded = () => opening.result.createObjectStore('probe')
      await new Promise((resolve, reject) => {
        opening.onsuccess = resolve
        opening.onerror = reject
      })
      const database = opening.result
      const writing = database.transaction('probe', 'readwrite')
      writing.objectStore('probe').put('a record', 1)
      const error = await new Promise<DOMException | null>((resolve) => {
        writing.oncomplete = () => resolve(null)
        writing.onabort = () => resolve(writing.error)
      })
      database.close()
      return error?.name === 'QuotaExceededError'
    })

  test('K03, -32603 storage_unavailable: with the disk full, flow and refresh fail before anything is sent, what was there stays, and it works once there is room', async () => {
    // Should an earlier try have failed in between.
    await session.send('Storage.overrideQuotaForOrigin', { origin })
    await gesture(page)
    const wish = stage.wish({ mode: 'token' })
    const { result } = await call<Grant>(page, 'northbound_connect', wish)
    const renew = () =>
      call<AccessToken>(page, 'northbound_getAccessToken', {
        grantId: result?.grantId,
        minValiditySeconds: 3_600,
      })
    expect((await renew()).error).toBeUndefined()
    expect(await isFull()).toBe(false)
    stage.network.log.clear()
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
    // For half a minute Chromium goes by what room there was, for all databases of an origin together.
    await until('the disk to be full', isFull, 60_000)
    const full = {
      code: ERROR_CODE.internalError,
      data: { error: 'storage_unavailable' },
      isError: true,
    }
    const tabs = (await stage.browser.pages()).length
    expect((await renew()).error).toMatchObject(full)
    expect((await flow()).error).toMatchObject(full)
    expect(stage.network.log.entries).toEqual([])
    expect(await stage.browser.pages()).toHaveLength(tabs)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([result])

    await session.send('Storage.overrideQuotaForOrigin', { origin })
    expect((await renew()).error).toBeUndefined()
    const [sent] = tokenRequests(stage)
    expect(formOf(sent).grant_type).toBe('refresh_token')
    expect((await flow()).error).toBeUndefined()
  }, 120_000)

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
