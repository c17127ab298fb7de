/**
 * Maps UE addresses to subscribers for the user plane. The access network knows the address of an attached UE. For
 * another UE, the network records the address that its subscriber last called an API from.
 */

import { LRUCache } from 'lru-cache'
import type { AccessNetwork } from '../access-network.ts'

export class SubscriberAddresses {
  readonly #network: AccessNetwork
  readonly #recorded = new LRUCache<string, string>({ max: 1000 })

  constructor(network: AccessNetwork) {
    this.#network = network
  }

  recordAddress(address: string | undefined, subscriberId: string): void {
    if (address !== undefined) this.#recorded.set(address, subscriberId)
  }

  subscriberAt(address: string | undefined): string | undefined {
    return this.#network.subscriberAt(address) ?? this.#recorded.get(address ?? '')
  }
}
