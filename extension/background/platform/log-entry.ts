/**
 * Creates entries of the log. An entry contains no secret: only the members named here are copied, and an
 * outcome is a short text. An entry of a failed call contains nothing that the page chose: it has the
 * origin, the outcome and the broker's own detail alone, whatever the caller passes. Pure.
 */

import type { ApiAccess, Mode } from '../../../shared/messages/page-api.ts'
import type { LogEntry, LogEvent } from '../../../shared/messages/screen-channel.ts'

/** Subject of an entry. A grant record has this shape. */
export interface LogSubject {
  origin?: string | undefined
  issuer?: string | undefined
  mode?: Mode | undefined
  apis?: readonly ApiAccess[] | undefined
  /** Cause of a failure, in the words of the broker and of operator profiles. Never a text of a page. */
  detail?: string | undefined
}

/** Limits a text that a server may have chosen to 80 printable ASCII characters. */
function toShortText(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain
}

/** In characters. */
const MAX_DETAIL = 400

/** Limits a detail, which may contain names in any script. A screen repairs it as foreign text. */
const toDetail = (text: string) =>
  [...text.replaceAll(/\p{C}/gu, '?')].slice(0, MAX_DETAIL).join('')

/** Selects the members of a subject that are logged for an event. */
function selectSubject(event: LogEvent, about: LogSubject): LogSubject {
  const { origin, issuer, mode, apis } = about
  const detail = about.detail === undefined ? undefined : toDetail(about.detail)
  return event === 'refusal' ? { origin, detail } : { origin, issuer, mode, apis, detail }
}

/** Text that is the same for entries that are counted as one: of one event, origin, subject and outcome. */
export function getDeduplicationKey(event: LogEvent, outcome: string, about: LogSubject): string {
  const { origin, issuer, mode, apis, detail } = selectSubject(event, about)
  return JSON.stringify([event, toShortText(outcome), origin, issuer, mode, apis, detail])
}

/** @param at Epoch milliseconds. */
export function createEntry(
  event: LogEvent,
  outcome: string,
  about: LogSubject,
  at: number,
): LogEntry {
  const { origin, issuer, mode, apis, detail } = selectSubject(event, about)
  return {
    at,
    event,
    outcome: toShortText(outcome),
    ...(detail !== undefined && { detail }),
    ...(origin !== undefined && { origin }),
    ...(issuer !== undefined && { issuer }),
    ...(mode !== undefined && { mode }),
    ...(apis !== undefined && {
      apis: apis.map(({ resource, scope, purpose }) => ({
        resource,
        scope,
        ...(purpose !== undefined && { purpose }),
      })),
    }),
  }
}
