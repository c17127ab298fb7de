/**
 * Directory of the subscribers of the fictitious operator: the resource owners of TS 23.222 (clause 3.1). Names,
 * numbers and places are invented; the numbers are in a range that is reserved for fiction.
 */

/** Subscriber of the mobile network. */
export interface Subscriber {
  /** Account identifier inside the network; it is never disclosed. */
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

/** Finds subscribers by account identifier, GPSI or phone number. */
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

  /** Accepts a number as people type it: ignores spaces, hyphens, brackets and `tel:`. */
  byPhoneNumber(typed: string): Subscriber | undefined {
    const digits = typed.replace(/^tel:/i, '').replace(/[\s().-]/g, '')
    const number = digits.startsWith('00') ? `+${digits.slice(2)}` : digits
    return this.#all.find(
      ({ phoneNumber }) => phoneNumber === number || phoneNumber === `+${number}`,
    )
  }
}
