/** Records the calls, events and answers of the page for the developer view, newest first, without credentials. */

import { type Signal, signal } from '@preact/signals'
import { failureOf, isAbort } from './failure.ts'
import { redactCredentials } from './redact.ts'

export type TraceOutcome = 'pending' | 'result' | 'error' | 'event'

export interface TraceEntry {
  id: number
  /** A method of the provider, an event, or an HTTP request line. */
  title: string
  outcome: TraceOutcome
  /** Status or error code, for the summary. */
  brief?: string
  durationMs?: number
  sent?: unknown
  received?: unknown
}

export interface Trace {
  readonly entries: Signal<readonly TraceEntry[]>
  /** Runs a call and records its parameters and its result; `view` selects the recorded part of the result. */
  call<T>(
    title: string,
    sent: unknown,
    run: () => Promise<T>,
    view?: (result: T) => { received: unknown; brief?: string },
  ): Promise<T>
  event(title: string, received: unknown): void
  clear(): void
}

const CAPACITY = 50

export function createTrace(now: () => number): Trace {
  const entries = signal<readonly TraceEntry[]>([])
  let lastId = 0

  function addEntry(entry: Omit<TraceEntry, 'id'>): number {
    lastId += 1
    entries.value = [{ id: lastId, ...entry }, ...entries.value].slice(0, CAPACITY)
    return lastId
  }

  function completeEntry(id: number, changes: Partial<TraceEntry>): void {
    entries.value = entries.value.map((entry) =>
      entry.id === id ? { ...entry, ...changes } : entry,
    )
  }

  return {
    entries,
    async call(title, sent, run, view = (result) => ({ received: result })) {
      const startedAtMs = now()
      const id = addEntry({ title, outcome: 'pending', sent: redactCredentials(sent) })
      try {
        const result = await run()
        const { received, brief } = view(result)
        completeEntry(id, {
          outcome: 'result',
          received: redactCredentials(received),
          durationMs: now() - startedAtMs,
          ...(brief === undefined ? {} : { brief }),
        })
        return result
      } catch (error) {
        const failure = failureOf(error)
        completeEntry(id, {
          outcome: 'error',
          received: isAbort(error) ? { aborted: true } : redactCredentials(failure),
          durationMs: now() - startedAtMs,
          brief: isAbort(error) ? 'aborted' : String(failure.code ?? failure.data.error),
        })
        throw error
      }
    },
    event(title, received) {
      addEntry({ title, outcome: 'event', received: redactCredentials(received) })
    },
    clear() {
      entries.value = []
    },
  }
}
