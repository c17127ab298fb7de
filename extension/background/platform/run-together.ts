/**
 * Waits for steps that run at the same time. It waits for the end of each of them, also where one fails: a write that
 * is under way must not come after what follows the failure.
 */

/** @throws The error of the first step in the list that failed, once all of them have ended. */
export async function runTogether<T extends readonly unknown[] | []>(
  steps: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(steps)
  return Promise.all(steps)
}
