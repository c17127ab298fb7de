/** Limits a byte stream with a token bucket, whose rate may change at any time. */

const BURST_SECONDS = 0.5

export class TokenBucket {
  readonly #bitsPerSecond: () => number
  readonly #nowMs: () => number
  #tokens = 0
  #lastMs: number

  constructor(bitsPerSecond: () => number, nowMs: () => number = () => performance.now()) {
    this.#bitsPerSecond = bitsPerSecond
    this.#nowMs = nowMs
    this.#lastMs = nowMs()
  }

  /** Takes all bytes that may be sent now. */
  takeBytes(): number {
    const now = this.#nowMs()
    const bytesPerSecond = this.#bitsPerSecond() / 8
    const earned = ((now - this.#lastMs) / 1000) * bytesPerSecond
    this.#lastMs = now
    this.#tokens = Math.min(this.#tokens + earned, bytesPerSecond * BURST_SECONDS)
    const wholeBytes = Math.floor(this.#tokens)
    this.#tokens -= wholeBytes
    return wholeBytes
  }
}
