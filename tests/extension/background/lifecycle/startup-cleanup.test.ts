/**
 * Leftovers go once in each life of the extension, also in one that begins with neither a start of the
 * browser nor an update: switched off and on again.
 *
 * Seen to fail when only `onStartup` and `onInstalled` sweep, and when every worker does.
 */

import 'fake-indexeddb/auto'
import { createStore, entries, set } from 'idb-keyval'
import { expect, test, vi } from 'vitest'

// One browser for all the workers.
const fake = await vi.hoisted(() => import('../../support/fake-browser.ts'))
vi.mock('webextension-polyfill', () => fake)

const { session } = fake.storage
const WITHIN_MS = 10_000
const flows = createStore('northkey-flows', 'flows')

/** Sealed by whatever key was there before. */
const leaveOver = () =>
  set('old', { iv: new Uint8Array(12), data: new Uint8Array(32).buffer }, flows)

async function wakeWorker(): Promise<void> {
  vi.resetModules()
  await import('../../../../extension/background/index.ts')
}

const left = async () => (await entries(flows)).length

test('L15: the first worker of a life sweeps, and no later one does', async () => {
  await leaveOver()
  await wakeWorker()
  await vi.waitFor(async () => expect(await left()).toBe(0), WITHIN_MS)
  await vi.waitFor(
    async () => expect(await session.get('swept')).toEqual({ swept: true }),
    WITHIN_MS,
  )

  await leaveOver()
  await wakeWorker()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(await left()).toBe(1)

  await session.clear()
  await wakeWorker()
  await vi.waitFor(async () => expect(await left()).toBe(0), WITHIN_MS)
})
