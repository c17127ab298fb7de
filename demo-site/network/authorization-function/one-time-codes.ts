/** Creates and redeems one-time codes by text message: six digits, valid for five minutes, five attempts, one use. */

import { randomInt, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Subscriber } from '../subscribers.ts'
import type { TextMessages } from '../text-messages.ts'

const LIFETIME_MS = 5 * 60 * 1000
const MAX_ATTEMPTS = 5

interface PendingCode {
  code: string
  subscriber: Subscriber
  attempts: number
}

export class OneTimeCodes {
  readonly #pending = new LRUCache<string, PendingCode>({ max: 1000, ttl: LIFETIME_MS })
  readonly #messages: TextMessages
  readonly #operator: string

  constructor(messages: TextMessages, operator: string) {
    this.#messages = messages
    this.#operator = operator
  }

  /** Sends a code that is valid for this interaction only. */
  sendCode(interactionId: string, subscriber: Subscriber): void {
    const code = String(randomInt(1_000_000)).padStart(6, '0')
    this.#pending.set(interactionId, { code, subscriber, attempts: 0 })
    this.#messages.send(
      subscriber.phoneNumber,
      `${code} is your code to sign in at ${this.#operator}. Give it to nobody.`,
    )
  }

  isPending(interactionId: string): boolean {
    return this.#pending.has(interactionId)
  }

  /** Returns the subscriber whose code was typed, and deletes the code. */
  redeemCode(interactionId: string, typed: string): Subscriber | undefined {
    const pending = this.#pending.get(interactionId)
    if (!pending) return undefined
    pending.attempts += 1
    if (isEqual(pending.code, typed.replace(/\s/g, ''))) {
      this.#pending.delete(interactionId)
      return pending.subscriber
    }
    if (pending.attempts >= MAX_ATTEMPTS) this.#pending.delete(interactionId)
    return undefined
  }
}

function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
