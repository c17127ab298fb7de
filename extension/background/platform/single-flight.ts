/**
 * Single flight: callers that ask for the same work while it runs share one run and its outcome. What has
 * ended is forgotten; to keep a result, see `memoize.ts`.
 */

interface Flight<T> {
  outcome: Promise<T>
  controller: AbortController
  /** Callers that have not given up. */
  callers: number
}

export interface SingleFlight<T> {
  /**
   * Joins the flight of this key, or starts it with this task in the same turn.
   *
   * @param task Takes a signal that is aborted when all callers have given up.
   * @param caller Aborted when this caller gives up. A caller without one waits to the end.
   */
  run(
    key: string,
    task: (signal: AbortSignal) => Promise<T>,
    caller?: AbortSignal | undefined,
  ): Promise<T>
  /** Joins the flight of this key, if there is one, and waits to its end. */
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
