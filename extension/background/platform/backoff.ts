/**
 * Computes the pause after failures in a row (exponential back-off): each failure doubles it, up to a limit.
 * Jitter makes it longer by up to a quarter, so that clients that lost the same server do not return at the
 * same moment. Pure.
 */

export interface Backoff {
  /** Pause after the first failure, in milliseconds. */
  firstMs: number
  /** Longest pause without its jitter, in milliseconds. */
  longestMs: number
}

/**
 * @param failures Number of failures in a row. 0: no pause.
 * @param random Value from 0 to 1 that gives the jitter.
 * @returns Milliseconds.
 */
export function computeBackoffMs(
  failures: number,
  { firstMs, longestMs }: Backoff,
  random: number,
): number {
  if (failures === 0) return 0
  return Math.round(Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (1 + random / 4))
}

/** Random value from 0 to 1, for jitter. */
export function randomFraction(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1))
  return value / 2 ** 32
}
