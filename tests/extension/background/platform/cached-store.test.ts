/**
 * Tests the write-through cache of a store: hits, deletions, failed writes, and concurrent steps in every
 * order.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withCache } from '../../../../extension/background/platform/cached-store.ts'
import type { SealedStore } from '../../../../extension/background/platform/sealed-store.ts'

/** Creates a store whose steps wait for `state.wait`, and whose writes fail while `state.full` is set. */
function createSlowStore() {
  const rows = new Map<string, number>()
  const reads: string[] = []
  const state = { full: false, wait: async () => {} }
  const store: SealedStore<number> = {
    async get(id) {
      reads.push(id)
      const record = rows.get(id)
      await state.wait()
      return record
    },
    async set(id, record) {
      await state.wait()
      if (state.full) throw new Error('QuotaExceededError')
      rows.set(id, record)
    },
    async delete(id) {
      await state.wait()
      rows.delete(id)
    },
    all: async () => [...rows.values()],
    sweep: async () => rows.clear(),
  }
  return { rows, reads, state, store: withCache(store) }
}

describe('a cached record', () => {
  test('is read from the store once', async () => {
    const { rows, reads, store } = createSlowStore()
    rows.set('a', 1)
    expect([await store.get('a'), await store.get('a')]).toEqual([1, 1])
    expect(reads).toEqual(['a'])
  })

  test('is gone after a deletion or a sweep', async () => {
    const { store } = createSlowStore()
    await store.set('a', 1)
    await store.delete('a')
    expect(await store.get('a')).toBeUndefined()
    await store.set('b', 2)
    await store.sweep()
    expect(await store.get('b')).toBeUndefined()
  })

  test('K03: is not replaced by a write that failed', async () => {
    const { rows, state, store } = createSlowStore()
    rows.set('a', 1)
    await store.get('a')
    state.full = true
    await expect(store.set('a', 2)).rejects.toThrow('Quota')
    expect(await store.get('a')).toBe(1)
  })

  test('K11: is not replaced by the result of a read that a write or a deletion has overtaken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('get', 'set', 'delete'), { minLength: 2, maxLength: 8 }),
        async (scheduler, steps) => {
          const { rows, state, store } = createSlowStore()
          rows.set('a', 0)
          state.wait = () => scheduler.schedule(Promise.resolve())
          let value = 0
          const reads: Promise<unknown>[] = []
          let writes = Promise.resolve()
          for (const step of steps) {
            if (step === 'get') reads.push(store.get('a'))
            else if (step === 'set') writes = writes.then(() => store.set('a', ++value))
            else writes = writes.then(() => store.delete('a'))
          }
          await scheduler.waitFor(Promise.all([...reads, writes]))
          state.wait = async () => {}
          expect(await store.get('a')).toBe(rows.get('a'))
        },
      ),
    )
  })
})
