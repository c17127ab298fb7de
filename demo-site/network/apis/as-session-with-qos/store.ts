/**
 * Stores active subscriptions by owner: the application and the subscriber of the token that created them.
 * Any other caller gets 404, as if the subscription did not exist.
 */

import { randomUUID } from 'node:crypto'
import type { Caller } from '../access-token.ts'
import { Problem } from '../problem-details.ts'

const MAX_PER_OWNER = 100

export interface Owner {
  scsAsId: string
  clientId: string
  subscriberId: string
}

export interface Stored<T> {
  id: string
  owner: Owner
  value: T
}

export function ownerOf(scsAsId: string, caller: Caller): Owner {
  return { scsAsId, clientId: caller.clientId, subscriberId: caller.subscriber.id }
}

export class SubscriptionStore<T> {
  readonly #byId = new Map<string, Stored<T>>()

  add(owner: Owner, make: (id: string) => T): Stored<T> {
    if (this.list(owner).length >= MAX_PER_OWNER) {
      throw new Problem(403, {
        cause: 'QUOTA_EXCEEDED',
        detail: 'too many subscriptions are active already',
      })
    }
    const id = randomUUID()
    const stored = { id, owner, value: make(id) }
    this.#byId.set(id, stored)
    return stored
  }

  list(owner: Owner): Stored<T>[] {
    return [...this.#byId.values()].filter((stored) => isSameOwner(stored.owner, owner))
  }

  /** @throws Problem 404 when the subscription does not exist, or belongs to another owner. */
  get(id: string, owner: Owner): Stored<T> {
    const stored = this.#byId.get(id)
    if (!stored || !isSameOwner(stored.owner, owner)) {
      throw new Problem(404, { detail: 'there is no such subscription' })
    }
    return stored
  }

  find(id: string): Stored<T> | undefined {
    return this.#byId.get(id)
  }

  remove(id: string): void {
    this.#byId.delete(id)
  }
}

function isSameOwner(a: Owner, b: Owner): boolean {
  return a.scsAsId === b.scsAsId && a.clientId === b.clientId && a.subscriberId === b.subscriberId
}
