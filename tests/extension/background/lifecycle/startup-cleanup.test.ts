/**
 * Cleanup once a session: also in a session that begins without a start of the browser or an update, because
 * the extension was switched off and on again.
 *
 * Seen to fail when only `onStartup` and `onInstalled` clean up, and when every worker does.
 */

import 'fake-indexeddb/auto'
import { createStore, entries, set } from 'idb-keyval'
import { expect, test, vi } from 'vitest'
import { WITHIN_MS } from '../../support/time-limit.ts'

// All workers of this file share the fake browser.
const fake = await vi.hoisted(() => import('../../support/fake-browser.ts'))
vi.mock('webextension-polyfill', () => fake)

const { session } = fake.storage
const flows = createStore('northkey-flows', 'flows')

/** Stores a record that no key of this session can open. */
const addLeftRecord = () =>
  set('old', { iv: new Uint8Array(12), data: new Uint8Array(32).buffer }, flows)

async function wakeWorker(): Promise<void> {
  vi.resetModules()
  await import('../../../../extension/background/index.ts')
}

/** Waits until the cleanup that the newest worker has begun is over. */
async function waitForCleanup(): Promise<void> {
  const { cleanUpOnce } = await import(
    '../../../../extension/background/lifecycle/startup-cleanup.ts'
  )
  await cleanUpOnce()
}

const countLeftRecords = async () => (await entries(flows)).length

test('L15: the first worker of a session cleans up, and later workers do not', async () => {
  await addLeftRecord()
  await wakeWorker()
  await vi.waitFor(async () => expect(await countLeftRecords()).toBe(0), WITHIN_MS)
  await vi.waitFor(
    async () => expect(await session.get('swept')).toEqual({ swept: true }),
    WITHIN_MS,
  )

  await addLeftRecord()
  await wakeWorker()
  await waitForCleanup()
  expect(await countLeftRecords()).toBe(1)

  await session.clear()
  await wakeWorker()
  await vi.waitFor(async () => expect(await countLeftRecords()).toBe(0), WITHIN_MS)
})
