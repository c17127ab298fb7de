/**
 * A failure of the browser's storage lasts as long as it lasts, and not as long as the worker.
 *
 * Seen to fail when the rejected promise is kept, and when a sealing key that cannot be read is taken
 * for a key that cannot be opened.
 */

import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, test, vi } from 'vitest'

const { sealing } = vi.hoisted(() => ({ sealing: vi.fn<() => Promise<CryptoKey>>() }))
vi.mock('../../../../extension/background/platform/sealing-key.ts', () => ({ sealingKey: sealing }))

import { createKey, getKey, sweepKeys } from '../../../../extension/background/clients/keys.ts'
import { memoize } from '../../../../extension/background/platform/memoize.ts'

test('what was read is read once, and what failed is read again', async () => {
  const read = vi.fn<() => Promise<number>>()
  read.mockRejectedValueOnce(new Error('busy')).mockResolvedValue(7)
  const once = memoize(read)
  await expect(Promise.all([once(), once()])).rejects.toThrow('busy')
  expect(await Promise.all([once(), once()])).toEqual([7, 7])
  expect(await once()).toBe(7)
  expect(read).toHaveBeenCalledTimes(2)
})

describe('while the sealing key cannot be read', () => {
  beforeEach(async () => {
    const usages: KeyUsage[] = ['wrapKey', 'unwrapKey']
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, usages)
    sealing.mockReset().mockResolvedValue(key)
  })

  test('a key is not taken for lost, and is there when it can be', async () => {
    await createKey('one')
    vi.resetModules()
    const keys = await import('../../../../extension/background/clients/keys.ts')
    sealing.mockRejectedValueOnce(new Error('busy'))
    await expect(keys.getKey('one')).rejects.toThrow('busy')
    expect(await keys.getKey('one')).toBeDefined()
    sealing.mockRejectedValue(new Error('busy'))
    vi.resetModules()
    const later = await import('../../../../extension/background/clients/keys.ts')
    await expect(later.sweepKeys()).rejects.toThrow('busy')
    expect(await getKey('one')).toBeDefined()
    await sweepKeys()
    expect(await getKey('one')).toBeDefined()
  })
})
