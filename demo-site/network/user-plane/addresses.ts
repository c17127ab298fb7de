/**
 * Whose data comes from which address. The access network knows it for a UE that is attached; for
 * any other the network learns it from who signs in or asks for a session from there.
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
