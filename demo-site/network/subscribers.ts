/**
 * The subscribers of the made-up operator: the resource owners of TS 23.222 (clause 3.1). Names,
 * numbers and places are invented; the numbers lie in a range that is kept free for fiction.
 */

/** A subscriber of the mobile network. */
export interface Subscriber {
  /** Account identifier inside the network; never leaves it. */
  id: string
  name: string
  /** Generic public subscription identifier. @see TS 29.571 clause 5.3.2 */
  gpsi: string
  /** E.164 with a leading plus sign. */
  phoneNumber: string
  password: string
  /** Where the network last saw the UE. */
  location: { latitude: number; longitude: number; accuracyMeters: number }
}

export const DEFAULT_SUBSCRIBERS: readonly Subscriber[] = [
  {
    id: 'mira',
    name: 'Mira Okafor',
    gpsi: 'msisdn-447700900101',
    phoneNumber: '+447700900101',
    password: 'northern lights',
    location: { latitude: 51.5079, longitude: -0.0877, accuracyMeters: 60 },
  },
  {
    id: 'jonas',
    name: 'Jonas Lindqvist',
    gpsi: 'msisdn-447700900102',
    phoneNumber: '+447700900102',
    password: 'paper boats',
    location: { latitude: 53.4808, longitude: -2.2426, accuracyMeters: 120 },
  },
  {
    id: 'amal',
    name: 'Amal Haddad',
    gpsi: 'msisdn-447700900103',
    phoneNumber: '+447700900103',
    password: 'orange grove',
    location: { latitude: 55.9533, longitude: -3.1883, accuracyMeters: 90 },
  },
]

/** Finds subscribers by what the different faces of the network know of them. */
export class SubscriberDirectory {
  readonly #all: readonly Subscriber[]

  constructor(subscribers: readonly Subscriber[]) {
    this.#all = subscribers
  }

  get all(): readonly Subscriber[] {
    return this.#all
  }

  byId(id: string): Subscriber | undefined {
    return this.#all.find((subscriber) => subscriber.id === id)
  }

  byGpsi(gpsi: string): Subscriber | undefined {
    return this.#all.find((subscriber) => subscriber.gpsi === gpsi)
  }

  /** Reads a number as people type it: spaces, hyphens, brackets and `tel:` do not matter. */
  byPhoneNumber(typed: string): Subscriber | undefined {
    const digits = typed.replace(/^tel:/i, '').replace(/[\s().-]/g, '')
    const number = digits.startsWith('00') ? `+${digits.slice(2)}` : digits
    return this.#all.find(
      ({ phoneNumber }) => phoneNumber === number || phoneNumber === `+${number}`,
    )
  }
}
