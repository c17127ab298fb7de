/**
 * Tests that a temporary failure of the browser's storage is not memoized for the life of the worker.
 *
 * Seen to fail when the rejected promise is memoized, and when an unreadable sealing key counts as a key
 * that cannot be unwrapped.
 */

import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, test, vi } from 'vitest'

const { sealing } = vi.hoisted(() => ({ sealing: vi.fn<() => Promise<CryptoKey>>() }))
vi.mock('../../../../extension/background/platform/sealing-key.ts', () => ({ sealingKey: sealing }))

import { createKey, getKey, sweepKeys } from '../../../../extension/background/clients/keys.ts'
import { memoize } from '../../../../extension/background/platform/memoize.ts'

test('a successful read is memoized, and a failed read is repeated', async () => {
  const read = vi.fn<() => Promise<number>>()
  read.mockRejectedValueOnce(new Error('busy')).mockResolvedValue(7)
  const memoizedRead = memoize(read)
  await expect(Promise.all([memoizedRead(), memoizedRead()])).rejects.toThrow('busy')
  expect(await Promise.all([memoizedRead(), memoizedRead()])).toEqual([7, 7])
  expect(await memoizedRead()).toBe(7)
  expect(read).toHaveBeenCalledTimes(2)
})

describe('while the sealing key cannot be read', () => {
  beforeEach(async () => {
    const usages: KeyUsage[] = ['wrapKey', 'unwrapKey']
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, usages)
    sealing.mockReset().mockResolvedValue(key)
  })

  test('a client key is not deleted, and is readable again afterwards', async () => {
    await createKey('key-1')
    vi.resetModules()
    const keys = await import('../../../../extension/background/clients/keys.ts')
    sealing.mockRejectedValueOnce(new Error('busy'))
    await expect(keys.getKey('key-1')).rejects.toThrow('busy')
    expect(await keys.getKey('key-1')).toBeDefined()
    sealing.mockRejectedValue(new Error('busy'))
    vi.resetModules()
    const later = await import('../../../../extension/background/clients/keys.ts')
    await expect(later.sweepKeys()).rejects.toThrow('busy')
    expect(await getKey('key-1')).toBeDefined()
    await sweepKeys()
    expect(await getKey('key-1')).toBeDefined()
  })
})
