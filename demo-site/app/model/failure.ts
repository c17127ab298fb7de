/** Whatever was thrown, as the page keeps and shows it. */

import { ERROR_CODE, type ProviderErrorData } from '../../../shared/messages/page-api.ts'

/** An error with its number and its data, and nothing else of it. */
export interface Failure {
  /** `undefined`: the broker broke the convention. */
  code: number | undefined
  data: ProviderErrorData
}

/** The page's own fetch failed before any answer (token mode). */
export const UNREACHABLE: Failure = {
  code: ERROR_CODE.unreachable,
  data: { error: 'network_error' },
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Whether the page itself took the request back. */
export function isAbort(error: unknown): boolean {
  return isRecord(error) && error.name === 'AbortError'
}

/** Reads a `ProviderError` by its members: a class would not survive the way through the browser. */
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
