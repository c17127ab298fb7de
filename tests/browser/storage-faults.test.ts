/**
 * Tests storage faults: site data that were cleared, a database of a newer version, a full disk, a damaged
 * database. The broker starts again without the data; it never hangs and never loops. Only Chromium lets a
 * test cause these faults.
 *
 * Seen to fail when:
 * - `refreshAccessToken` sends the request before it has recorded it (K03: the request is sent);
 * - grants have a copy in `storage.local` (K12, K04 with C21);
 * - a database is opened as version 1 (K07), or with its version raised by one (K05: it waits for the screen
 *   forever);
 * - `servePage` and `handleTabClosed` forget the caller of a call, or `settleFlow` keeps the record (K13).
 */

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CDPSession, Page } from 'puppeteer-core'
import { describe, expect, onTestFinished } from 'vitest'
import {
  type AccessToken,
  ERROR_CODE,
  type FetchResult,
  type Grant,
} from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { subscriptionsUrl } from './support/api-calls.ts'
import { connectAndRevoke, connectQuickly, signInBeforehand } from './support/known-subscriber.ts'
import { startOwnStage } from './support/own-stage.ts'
import { until } from './support/pages.ts'
import {
  authorizationRequests,
  type Called,
  call,
  databaseText,
  formOf,
  gesture,
  type Stage,
  tokenRequests,
} from './support/stage.ts'

const RECORD_BYTES = 50_000
const ROOM_BYTES = 4_000_000

async function connectAgain(stage: Stage, page: Page): Promise<Called<Grant>> {
  await gesture(page)
  return call<Grant>(page, 'northbound_connect', stage.wish())
}

const clearDatabases = (session: CDPSession, { brokerOrigin: origin }: Stage) =>
  session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })

/**
 * Writes records, and deletes them again.
 *
 * The bytes are random, since Chromium compresses values. The records are small, since Chromium stores a large
 * record as a file.
 *
 * @returns True if the broker's origin has no space for the records.
 */
const isFullFor = (databases: Page, records: number) =>
  databases.evaluate(
    async (count, size) => {
      const opening = indexedDB.open('probe')
      opening.onupgradeneeded = () => opening.result.createObjectStore('probe')
      await new Promise((resolve, reject) => {
        opening.onsuccess = resolve
        opening.onerror = reject
      })
      const database = opening.result
      const writing = database.transaction('probe', 'readwrite')
      const store = writing.objectStore('probe')
      for (let key = 0; key < count; key++)
        store.put(crypto.getRandomValues(new Uint8Array(size)), key)
      store.clear()
      const error = await new Promise<DOMException | null>((resolve) => {
        writing.oncomplete = () => resolve(null)
        writing.onabort = () => resolve(writing.error)
      })
      database.close()
      return error?.name === 'QuotaExceededError'
    },
    records,
    RECORD_BYTES,
  )

describe.runIf(BROWSER === 'chromium')('when the storage fails', () => {
  test('K12: after the site data are cleared the broker begins anew', async ({
    stage,
    page,
    granted,
    worker,
  }) => {
    await clearDatabases(await worker.page.createCDPSession(), stage)
    // Stops the worker, which clears its memory.
    await worker.stop()
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const url = subscriptionsUrl(granted)
    const { error } = await call<FetchResult>(page, 'northbound_fetch', { url })
    expect(error?.data.error).toBe('no_grant')
    expect((await connectAgain(stage, page)).error).toBeUndefined()
  })

  test('K07, K05: a database of a newer version is left as it is, and a screen that holds it blocks nobody', async ({
    stage,
    page,
    worker,
  }) => {
    await signInBeforehand(stage)
    expect((await connectAndRevoke(stage, page)).error).toBeUndefined()
    await signInBeforehand(stage)
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
      // A reference to the connection keeps the garbage collector from closing it.
      Object.assign(globalThis, { held: opening.result })
    })
    expect((await connectAndRevoke(stage, page)).error).toBeUndefined()
    expect((await databaseText(worker.page)).later).toEqual(['kept'])
    await worker.page.evaluate(() => {
      const { held } = globalThis as unknown as { held: IDBDatabase }
      // Throws if the connection was closed.
      held.transaction('later')
      held.close()
    })
  })

  test('K03, -32603 storage_unavailable: with the disk full, flow and refresh fail before anything is sent, what was there stays, and it works once there is room', async ({
    stage,
    page,
    worker,
  }) => {
    const session = await worker.page.createCDPSession()
    const { brokerOrigin: origin } = stage
    const setQuota = (quotaSize?: number) =>
      session.send('Storage.overrideQuotaForOrigin', {
        origin,
        ...(quotaSize !== undefined && { quotaSize }),
      })
    onTestFinished(() => setQuota().catch(() => {}))
    // Chromium caches the free space of an origin, for all its databases together, for half a minute.
    // It measures the
    // space again after the data were cleared, and when a record needs more than the cached free space.
    await setQuota(ROOM_BYTES)
    await clearDatabases(session, stage)
    await worker.stop()
    const { result } = await connectQuickly(stage, page, stage.wish({ mode: 'token' }))
    const renew = () =>
      call<AccessToken>(page, 'northbound_getAccessToken', {
        grantId: result?.grantId,
        minValiditySeconds: 86_400,
      })
    expect((await renew()).error).toBeUndefined()
    expect(await isFullFor(worker.page, 1)).toBe(false)
    stage.network.log.clear()
    await setQuota(1)
    expect(await isFullFor(worker.page, ROOM_BYTES / RECORD_BYTES)).toBe(true)
    expect(await isFullFor(worker.page, 1)).toBe(true)
    const full = {
      code: ERROR_CODE.internalError,
      data: { error: 'storage_unavailable' },
      isError: true,
    }
    const tabs = (await stage.browser.pages()).length
    expect((await renew()).error).toMatchObject(full)
    expect((await connectAgain(stage, page)).error).toMatchObject(full)
    expect(stage.network.log.entries).toEqual([])
    expect(await stage.browser.pages()).toHaveLength(tabs)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([result])

    await setQuota()
    expect((await renew()).error).toBeUndefined()
    const [sent] = tokenRequests(stage)
    expect(formOf(sent).grant_type).toBe('refresh_token')
    expect((await connectAgain(stage, page)).error).toBeUndefined()
  })

  test('K13: flows that were given up leave no record', async ({ stage, worker }) => {
    await signInBeforehand(stage)
    stage.network.faults.add({ path: '/auth', action: { type: 'hang' } })
    for (let time = 1; time <= 5; time++) {
      const asking = await stage.open()
      await gesture(asking)
      // The call ends when its page closes.
      call(asking, 'northbound_connect', stage.wish()).catch(() => {})
      await until('the request', async () => authorizationRequests(stage).length === time)
      expect((await databaseText(worker.page)).flows).toHaveLength(1)
      await asking.close()
      await expect.poll(async () => (await databaseText(worker.page)).flows).toEqual([])
    }
  })

  test('K04, C21: with its database damaged the broker starts empty, and works', async () => {
    const { stage, profile, restart } = await startOwnStage()
    expect((await connectQuickly(stage, await stage.open())).result).toBeDefined()
    await stage.browser.close()
    const folder = join(profile, 'Default', 'IndexedDB')
    const [database] = (await readdir(folder)).filter((name) => /^chrome-extension_/.test(name))
    for (const file of await readdir(join(folder, String(database)))) {
      if (/^(CURRENT|MANIFEST|.*\.log$)/.test(file)) {
        await writeFile(join(folder, String(database), file), 'not a database')
      }
    }
    await restart()
    const page = await stage.open()
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    expect((await connectQuickly(stage, page)).error).toBeUndefined()
  })
})
