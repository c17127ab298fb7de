/**
 * The log's entry for a call that ended in a refusal. What the page said is not repeated unless it
 * names an operator and APIs that are known: a page must not be able to write into the log.
 */

import type { ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import { findApi, findOperator } from '../operators/operators.ts'
import { type LogSubject, recordLogEntry } from '../platform/log.ts'
import { checkParams, isProviderMethod } from './params.ts'

async function findLogSubject(
  origin: string,
  method: string,
  params: unknown,
): Promise<LogSubject> {
  if (method !== 'northbound_connect') return { origin }
  try {
    const { issuer, mode = 'fetch', apis } = checkParams(method, params)
    const operator = await findOperator(issuer)
    const known =
      operator && apis.every(({ resource, scope }) => findApi(operator, resource, scope))
    return known ? { origin, issuer, mode, apis } : { origin }
  } catch {
    return { origin }
  }
}

export async function logFailedCall(
  origin: string,
  { method, params }: { method: string; params: unknown },
  { data }: ProviderErrorObject,
): Promise<void> {
  const name = isProviderMethod(method) ? method : 'unknown method'
  const about = await findLogSubject(origin, method, params)
  recordLogEntry('refusal', `${name}: ${data.error}`, about)
}
