/**
 * Runs equal work once at a time (single flight): callers that request it while it is in flight share the
 * run and its outcome. The outcome is not stored after the end of the flight.
 *
 * Border: `memoize.ts` stores results.
 */

interface Flight<T> {
  outcome: Promise<T>
  controller: AbortController
  /** Number of callers that have not given up. */
  callers: number
}

export interface SingleFlight<T> {
  /**
   * Joins the flight of this key, or starts it with this task synchronously.
   *
   * @param task Work. Its signal is aborted when all callers have given up.
   * @param caller Signal that is aborted when this caller gives up. A caller without a signal waits to the
   * end.
   */
  run(
    key: string,
    task: (signal: AbortSignal) => Promise<T>,
    caller?: AbortSignal | undefined,
  ): Promise<T>
  /** Joins the flight of this key, if there is one, and waits for its end. */
  join(key: string): Promise<T> | undefined
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>()

  function start(key: string, task: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    // Deleted before the callers get the outcome: one of them may start the next flight.
    const outcome = (async () => task(controller.signal))().finally(() => flights.delete(key))
    const flight = { outcome, controller, callers: 0 }
    flights.set(key, flight)
    return flight
  }

  return {
    run(key, task, caller) {
      const flight = flights.get(key) ?? start(key, task)
      flight.callers += 1
      if (!caller) return flight.outcome
      const leave = () => {
        flight.callers -= 1
        if (flight.callers === 0) flight.controller.abort()
      }
      if (caller.aborted) leave()
      caller.addEventListener('abort', leave)
      return flight.outcome.finally(() => caller.removeEventListener('abort', leave))
    },
    join(key) {
      const flight = flights.get(key)
      if (flight) flight.callers += 1
      return flight?.outcome
    },
  }
}
