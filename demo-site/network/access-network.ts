/**
 * What the mobile network knows by itself: which subscriber's UE sends from which address. A UE that
 * comes over Wi-Fi has an address that belongs to nobody here. @see CAMARA, network-based authentication
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

  /** Identifier of the subscriber at an address; nobody for a UE on Wi-Fi. */
  subscriberAt(address: string | undefined): string | undefined {
    return address === undefined
      ? undefined
      : this.#subscriberByAddress.get(normalizeAddress(address))
  }

  get attached(): Record<string, string> {
    return Object.fromEntries(this.#subscriberByAddress)
  }
}

/** An IPv4 address looks the same on a socket for both families. */
function normalizeAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
}
