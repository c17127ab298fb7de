/**
 * Maps UE addresses to subscribers, as the mobile network knows them from attachment. A UE on Wi-Fi has an
 * address that maps to no subscriber. @see CAMARA, network-based authentication
 */

export class AccessNetwork {
  readonly #subscriberByAddress = new Map<string, string>()

  constructor(attached: Readonly<Record<string, string>> = {}) {
    for (const [address, subscriberId] of Object.entries(attached)) {
      this.attach(address, subscriberId)
    }
  }

  attach(address: string, subscriberId: string): void {
    this.#subscriberByAddress.set(normalizeAddress(address), subscriberId)
  }

  detach(address: string): void {
    this.#subscriberByAddress.delete(normalizeAddress(address))
  }

  /** Identifier of the subscriber at an address; `undefined` for a UE on Wi-Fi. */
  subscriberAt(address: string | undefined): string | undefined {
    return address === undefined
      ? undefined
      : this.#subscriberByAddress.get(normalizeAddress(address))
  }

  get attached(): Record<string, string> {
    return Object.fromEntries(this.#subscriberByAddress)
  }
}

/** Removes the prefix that a dual-stack socket puts before an IPv4 address. */
function normalizeAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
}
