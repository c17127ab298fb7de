/**
 * Tests that callers of equal work share one run, and that the run is aborted when all callers have given up.
 *
 * Seen to fail when the flight is deleted after its callers have the outcome, when one caller that gives
 * up aborts it for all, and when a caller that never gives up is not counted.
 */

import { expect, test, vi } from 'vitest'
import { createSingleFlight } from '../../../../extension/background/platform/single-flight.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

/** Creates work that ends when the test resolves it. */
function setUp() {
  const flights = createSingleFlight<string>()
  const work = vi.fn<(signal: AbortSignal) => void>()
  let resolve: (value: string) => void = () => {}
  const task = (signal: AbortSignal) => {
    work(signal)
    return new Promise<string>((resolved) => {
      resolve = resolved
    })
  }
  return { flights, work, task, end: (value: string) => resolve(value) }
}

test('callers of one key share one run, which starts synchronously at the first call', async () => {
  const { flights, work, task, end } = setUp()
  expect(flights.join('key')).toBeUndefined()
  const outcomes = [flights.run('key', task), flights.run('key', task), flights.join('key')]
  expect(work).toHaveBeenCalledTimes(1)
  end('value')
  expect(await Promise.all(outcomes)).toEqual(['value', 'value', 'value'])
})

test('a caller that has the outcome may start the next flight', async () => {
  const { flights, work, task, end } = setUp()
  const nextOutcome = flights.run('key', task).then(() => flights.run('key', task))
  end('first')
  await vi.waitFor(() => expect(work).toHaveBeenCalledTimes(2), WITHIN_MS)
  end('second')
  expect(await nextOutcome).toBe('second')
})

test('all callers get a failure, and the failure is not stored', async () => {
  const { flights, task, end } = setUp()
  const fail = () => Promise.reject(new Error('broken'))
  const outcomes = await Promise.allSettled([flights.run('key', fail), flights.run('key', fail)])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const next = flights.run('key', task)
  end('value')
  expect(await next).toBe('value')
})

test('the run is aborted when its last caller has given up', async () => {
  const { flights, work, task, end } = setUp()
  const [first, second] = [new AbortController(), new AbortController()]
  const outcomes = [flights.run('key', task, first.signal), flights.run('key', task, second.signal)]
  const signal = work.mock.calls[0]?.[0]
  first.abort()
  expect(signal?.aborted).toBe(false)
  second.abort()
  expect(signal?.aborted).toBe(true)
  end('value')
  await Promise.all(outcomes)
})

test.each(['run', 'join'] as const)(
  'a caller by `%s` without a signal waits to the end',
  async (how) => {
    const { flights, work, task, end } = setUp()
    const caller = new AbortController()
    const outcomes = [flights.run('key', task, caller.signal)]
    const withoutSignal = how === 'run' ? flights.run('key', task) : flights.join('key')
    if (withoutSignal) outcomes.push(withoutSignal)
    caller.abort()
    expect(work.mock.calls[0]?.[0].aborted).toBe(false)
    end('value')
    expect(await Promise.all(outcomes)).toEqual(['value', 'value'])
  },
)
