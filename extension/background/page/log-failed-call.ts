/**
 * Logs a call that ended in an error. Values that the page sent are left out, unless they name an
 * operator and APIs of its profile: a page must not be able to write text of its own into the log.
 */

import type { ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import { findApi, findOperator } from '../operators/operators.ts'
import { type LogSubject, recordLogEntry } from '../platform/log.ts'
import { checkParams, isProviderMethod } from './params.ts'

/**
 * The subject of the entry: the origin, and the operator and APIs of a `northbound_connect` if they are
 * known.
 */
async function findLogSubject(
  origin: string,
  method: string,
  params: unknown,
): Promise<LogSubject> {
  if (method !== 'northbound_connect') return { origin }
  try {
    const { issuer, mode = 'fetch', apis } = checkParams(method, params)
    const operator = await findOperator(issuer)
    const isKnown =
      operator && apis.every(({ resource, scope }) => findApi(operator, resource, scope))
    return isKnown ? { origin, issuer, mode, apis } : { origin }
  } catch {
    return { origin }
  }
}

/** @param method Any text of the page: a method that does not exist is logged as "unknown method". */
export async function logFailedCall(
  origin: string,
  { method, params }: { method: string; params: unknown },
  { data }: ProviderErrorObject,
): Promise<void> {
  const name = isProviderMethod(method) ? method : 'unknown method'
  const about = await findLogSubject(origin, method, params)
  recordLogEntry('refusal', `${name}: ${data.error}`, about)
}
