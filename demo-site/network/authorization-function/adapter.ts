/** Stores sessions, grants, codes and tokens of the authorization function in memory, in one bounded LRU cache. */

import { LRUCache } from 'lru-cache'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { isLoopbackClientId, loadClientDocument } from './client-documents.ts'

const MAX_RECORDS = 20_000

export type RecordStore = LRUCache<string, AdapterPayload>

export function createRecordStore(): RecordStore {
  return new LRUCache({ max: MAX_RECORDS })
}

/** Adapter of oidc-provider for one kind of record. Loopback client documents are read through it. */
export class MemoryAdapter implements Adapter {
  readonly #kind: string
  readonly #store: RecordStore

  constructor(kind: string, store: RecordStore) {
    this.#kind = kind
    this.#store = store
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    this.#store.set(
      this.#key(id),
      payload,
      expiresIn === undefined ? {} : { ttl: expiresIn * 1000 },
    )
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const stored = this.#store.get(this.#key(id))
    if (stored || this.#kind !== 'Client' || !isLoopbackClientId(id)) return stored
    return loadClientDocument(id)
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findFirst((payload) => payload.uid === uid)
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findFirst((payload) => payload.userCode === userCode)
  }

  async consume(id: string): Promise<void> {
    const payload = this.#store.get(this.#key(id))
    if (payload) payload.consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id: string): Promise<void> {
    this.#store.delete(this.#key(id))
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, payload] of this.#store.entries()) {
      if (payload.grantId === grantId) this.#store.delete(key)
    }
  }

  #key(id: string): string {
    return `${this.#kind}:${id}`
  }

  #findFirst(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [key, payload] of this.#store.entries()) {
      if (key.startsWith(`${this.#kind}:`) && matches(payload)) return payload
    }
    return undefined
  }
}
