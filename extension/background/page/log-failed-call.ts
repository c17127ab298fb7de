/**
 * Logs a call that ended in an error, with the origin, the method's name and the error alone. Nothing that
 * the page chose is kept (purpose, URL, reason, operator, APIs): a page must not be able to write text of
 * its own into the log, nor to fill it with entries that differ.
 */

import type { ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import { recordLogEntry } from '../platform/log.ts'
import { isProviderMethod } from './params.ts'

/** @param method Any text of the page: a method that does not exist is logged as "unknown method". */
export function logFailedCall(origin: string, method: string, { data }: ProviderErrorObject): void {
  const name = isProviderMethod(method) ? method : 'unknown method'
  recordLogEntry('refusal', `${name}: ${data.error}`, { origin })
}
