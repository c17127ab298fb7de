/**
 * The client for pages outside of a page: where a server renders the page, and in a program.
 *
 * Seen to fail, F04: without the check for a document (`addEventListener is not defined`), and when the time limit is
 * set before it.
 */

import { expect, test, vi } from 'vitest'
import { findBroker } from '../../../shared/page/index.ts'

const countTimers = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

test('F04: findBroker resolves with undefined, and starts no timer that keeps the process alive', async () => {
  expect(typeof document).toBe('undefined')
  const before = countTimers()
  const finding = findBroker({ timeoutMs: 60_000 })
  expect(countTimers()).toBe(before)
  expect(await finding).toBeUndefined()
})

test('F04: also where the environment has events, as that of a worker', async () => {
  const target = new EventTarget()
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const) {
    vi.stubGlobal(name, target[name].bind(target))
  }
  const before = countTimers()
  const finding = findBroker({ timeoutMs: 60_000 })
  expect(countTimers()).toBe(before)
  expect(await finding).toBeUndefined()
  vi.unstubAllGlobals()
})
