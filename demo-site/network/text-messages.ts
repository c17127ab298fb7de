/** Delivers text messages to the phones of the subscribers. The "phones" page shows them. */

const MAX_PER_PHONE = 20

export interface TextMessage {
  timeMs: number
  text: string
}

export class TextMessages {
  readonly #byNumber = new Map<string, TextMessage[]>()

  send(phoneNumber: string, text: string): void {
    const inbox = this.#byNumber.get(phoneNumber) ?? []
    inbox.unshift({ timeMs: Date.now(), text })
    this.#byNumber.set(phoneNumber, inbox.slice(0, MAX_PER_PHONE))
  }

  /** Newest first. */
  inbox(phoneNumber: string): readonly TextMessage[] {
    return this.#byNumber.get(phoneNumber) ?? []
  }
}
