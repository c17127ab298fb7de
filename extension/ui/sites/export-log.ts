/** Exports the log to a JSON file, oldest entry first. The file is saved on this device; no data is sent. */

import type { LogEntry } from '../../../shared/messages/screen-channel.ts'
import { EXPORT_URL_LIFETIME_MS } from '../../limits.ts'

export function formatLog(entries: readonly LogEntry[]): string {
  const lines = [...entries].reverse().map(({ at, until, ...rest }) => ({
    at: new Date(at).toISOString(),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    ...rest,
  }))
  return `${JSON.stringify(lines, undefined, 2)}\n`
}

export function exportLog(entries: readonly LogEntry[]): void {
  const url = URL.createObjectURL(new Blob([formatLog(entries)], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `northkey-log-${new Date().toISOString().slice(0, 10)}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), EXPORT_URL_LIFETIME_MS)
}
