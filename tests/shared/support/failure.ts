/** Returns the error of a call. A call that succeeds fails the test. */

import { NorthkeyError } from '../../../shared/core/index.ts'

export async function failure(work: Promise<unknown> | (() => unknown)): Promise<NorthkeyError> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (error instanceof NorthkeyError) return error
    throw error
  }
  throw new Error('expected a failure')
}
