/**
 * Logs a call that ended in an error, with the origin, the method's name, the error and its cause. Nothing that
 * the page chose is kept (purpose, URL, reason, operator, APIs): a page must not be able to write text of
 * its own into the log, nor to fill it with entries that differ. A cause is either the diagnosis of the broker, or the
 * message of an error that a server or the network caused; both contain no value of a call. In a development build
 * the page's console shows the diagnosis too.
 */

import type { ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import type { Caller } from '../methods/page-call.ts'
import { describeCause } from '../platform/error-cause.ts'
import { recordLogEntry } from '../platform/log.ts'
import { showInConsole } from '../platform/page-console.ts'
import { isProviderMethod } from './params.ts'

/**
 * @param method Any text of the page: a method that does not exist is logged as "unknown method".
 * @param diagnosis Cause that the page does not learn.
 */
export function logFailedCall(
  caller: Caller,
  method: string,
  error: ProviderErrorObject,
  diagnosis?: string,
): void {
  const name = isProviderMethod(method) ? method : 'unknown method'
  const outcome = `${name}: ${error.data.error}`
  const detail = diagnosis ?? describeCause(error)
  recordLogEntry('refusal', outcome, { origin: caller.origin, detail })
  if (diagnosis !== undefined) showInConsole(caller, `${outcome}: ${diagnosis}`)
}
