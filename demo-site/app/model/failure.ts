/** Converts a thrown value to the failure that the page stores and shows. */

import { ERROR_CODE, type ProviderErrorData } from '../../../shared/messages/page-api.ts'

/** Code and data of an error; everything else of it is dropped. */
export interface Failure {
  /** `undefined` when the broker violates the provider convention. */
  code: number | undefined
  data: ProviderErrorData
}

/** Failure of the page's own fetch without an answer (token mode). */
export const UNREACHABLE: Failure = {
  code: ERROR_CODE.unreachable,
  data: { error: 'network_error' },
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Returns whether the page has aborted the request itself. */
export function isAbort(error: unknown): boolean {
  return isRecord(error) && error.name === 'AbortError'
}

/** Reads a `ProviderError` by its members, because structured cloning does not keep its class. */
export function failureOf(error: unknown): Failure {
  if (!isRecord(error) || typeof error.code !== 'number') {
    return { code: undefined, data: { error: 'unexpected' } }
  }
  const data = isRecord(error.data) ? error.data : {}
  return {
    code: error.code,
    data: {
      error: typeof data.error === 'string' ? data.error : 'unexpected',
      ...(typeof data.errorDescription === 'string'
        ? { errorDescription: data.errorDescription }
        : {}),
      ...(typeof data.httpStatus === 'number' ? { httpStatus: data.httpStatus } : {}),
      ...(typeof data.retryAfterSeconds === 'number'
        ? { retryAfterSeconds: data.retryAfterSeconds }
        : {}),
    },
  }
}
