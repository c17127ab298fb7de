/** Tests the sealed store: confidentiality, integrity, unique IVs, and concurrent sweep and write. */

import 'fake-indexeddb/auto'
import { createStore, get, set } from 'idb-keyval'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Sealed,
  sealValue,
  unsealValue,
} from '../../../../extension/background/platform/seal.ts'
import { createSealedStore } from '../../../../extension/background/platform/sealed-store.ts'

const newKey = () =>
  crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])

interface Note {
  text: string
}

let count = 0
let name = ''
let key: CryptoKey

beforeEach(async () => {
  name = `notes${++count}`
  key = await newKey()
})

const notes = (withKey = key) =>
  createSealedStore<Note>(name, () => Promise.resolve(withKey), createStore(name, name))

afterEach(() => {
  vi.restoreAllMocks()
})

describe('sealed records', () => {
  test('a stored record can be read', async () => {
    const store = notes()
    await store.set('a', { text: 'one' })
    await store.set('b', { text: 'two' })
    expect(await store.get('a')).toEqual({ text: 'one' })
    expect(await store.get('c')).toBeUndefined()
    expect(await store.all()).toEqual([{ text: 'one' }, { text: 'two' }])
    await store.delete('a')
    expect(await store.get('a')).toBeUndefined()
  })

  test('K01: the database holds no readable text', async () => {
    await notes().set('a', { text: 'a verifier' })
    const raw = await get<Sealed>('a', createStore(name, name))
    expect(new TextDecoder('latin1').decode(raw?.data)).not.toContain('verifier')
  })

  test('K08: a record moved to another name does not decrypt', async () => {
    const store = notes()
    await store.set('a', { text: 'one' })
    await set('b', await get('a', createStore(name, name)), createStore(name, name))
    expect(await store.get('b')).toBeUndefined()
    expect(await store.all()).toEqual([{ text: 'one' }])
  })

  test('K08: a changed record does not decrypt', async () => {
    const sealed = await sealValue(key, 'a', { text: 'one' })
    const bytes = new Uint8Array(sealed.data)
    bytes[0] = (bytes[0] ?? 0) ^ 1
    expect(await unsealValue(key, 'a', sealed)).toBeUndefined()
  })

  // Seen to fail when `sweep` clears a store because it could decrypt none of the records.
  test('a record that is written during a sweep stays, under a new name and under an old name', async () => {
    await notes().set('old', { text: 'one' })
    await notes().set('again', { text: 'two' })
    const now = await newKey()
    const currentNotes = notes(now)
    let written = false
    const slowly = createSealedStore<Note>(
      name,
      async () => {
        if (!written) {
          written = true
          await currentNotes.set('new', { text: 'three' })
          await currentNotes.set('again', { text: 'four' })
        }
        return now
      },
      createStore(name, name),
    )
    await slowly.sweep()
    expect(await currentNotes.all()).toEqual([{ text: 'four' }, { text: 'three' }])
    expect(await get('old', createStore(name, name))).toBeUndefined()
  })

  test('C21: a record that an earlier browser session sealed is unreadable, and swept', async () => {
    await notes().set('old', { text: 'one' })
    const next = notes(await newKey())
    expect(await next.get('old')).toBeUndefined()
    await next.set('new', { text: 'two' })
    await next.sweep()
    expect(await get('old', createStore(name, name))).toBeUndefined()
    expect(await next.get('new')).toEqual({ text: 'two' })
  })

  test('K10: a record is sealed before its transaction begins, however long that takes', async () => {
    const order: string[] = []
    const encrypt = crypto.subtle.encrypt.bind(crypto.subtle)
    vi.spyOn(crypto.subtle, 'encrypt').mockImplementation(async (...args) => {
      // Longer than a transaction takes: one that had begun before this one would be noted first.
      await get('a', createStore(name, name))
      order.push('sealed')
      return encrypt(...args)
    })
    const transaction = IDBDatabase.prototype.transaction
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
      this: IDBDatabase,
      ...args
    ) {
      if (args[1] === 'readwrite') order.push('begun')
      return transaction.apply(this, args)
    })
    const store = notes()
    await store.set('a', { text: 'one' })
    expect(order).toEqual(['sealed', 'begun'])
    expect(await store.get('a')).toEqual({ text: 'one' })
  })

  test('K09: no IV is used twice', async () => {
    const used = new Set<string>()
    for (let i = 0; i < 10_000; i++) {
      const { iv } = await sealValue(key, 'a', 0)
      used.add(iv.join())
    }
    expect(used.size).toBe(10_000)
  })
})
