/**
 * Tests the inert time of the consent window as a table: what happens at which millisecond, and when "Allow" may be
 * pressed.
 *
 * Seen to fail when the time is counted from the focus alone, as before (input does not start it anew); when it passes
 * while a key is held; and when a repeated key that was held before passes for a press.
 *
 * @see A11a, A11b of docs/conformance.md
 */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createInertTime, type InertEvent } from '../../../extension/ui/consent/inert-time.ts'

const LENGTH_MS = 500

const SHOWN: InertEvent = { type: 'shown' }
const HIDDEN: InertEvent = { type: 'hidden' }
const CHANGED: InertEvent = { type: 'changed' }
const key = (type: 'press' | 'release', name = 'Enter'): InertEvent => ({
  type,
  device: 'key',
  name,
})
const REPEAT: InertEvent = { type: 'press', device: 'key', name: 'Enter', repeats: true }
const pointer = (type: 'press' | 'release'): InertEvent => ({ type, device: 'pointer', name: '1' })

/** Events by the time in milliseconds, and the times at which the inert time ends and begins again. */
interface Row {
  events: [at: number, event: InertEvent][]
  changes: [at: number, over: boolean][]
}

/** Five clicks a second: the press of each, and the release 50 ms later. */
const fiveClicks = [100, 300, 500, 700, 900].flatMap((at): [number, InertEvent][] => [
  [at, pointer('press')],
  [at + 50, pointer('release')],
])

const TABLE: Record<string, Row> = {
  'a window that nobody touches': { events: [[0, SHOWN]], changes: [[500, true]] },
  'a window without the focus': { events: [[0, HIDDEN]], changes: [] },
  'a window that gets the focus late': {
    events: [
      [0, HIDDEN],
      [2_000, SHOWN],
    ],
    changes: [[2_500, true]],
  },
  'five clicks a second': { events: [[0, SHOWN], ...fiveClicks], changes: [[1_450, true]] },
  'a key in the inert time': {
    events: [
      [0, SHOWN],
      [400, key('press', 'Tab')],
      [450, key('release', 'Tab')],
    ],
    changes: [[950, true]],
  },
  'a pointer that is held over the end of the inert time': {
    events: [
      [0, SHOWN],
      [400, pointer('press')],
      [2_000, pointer('release')],
    ],
    changes: [[2_500, true]],
  },
  'a key that is held since another window had the focus': {
    events: [
      [0, SHOWN],
      [660, REPEAT],
      [700, REPEAT],
      [740, REPEAT],
      [760, key('release')],
    ],
    changes: [
      [500, true],
      [660, false],
      [1_260, true],
    ],
  },
  'a key that was pressed after the inert time and is held': {
    events: [
      [0, SHOWN],
      [600, key('press')],
      [1_300, REPEAT],
      [1_400, key('release')],
    ],
    changes: [[500, true]],
  },
  'a click after the inert time': {
    events: [
      [0, SHOWN],
      [600, pointer('press')],
      [650, pointer('release')],
    ],
    changes: [[500, true]],
  },
  'a window that is moved or resized, early and late': {
    events: [
      [0, SHOWN],
      [300, CHANGED],
      [900, CHANGED],
    ],
    changes: [
      [800, true],
      [900, false],
      [1_400, true],
    ],
  },
  'a window that is left and entered again': {
    events: [
      [0, SHOWN],
      [700, HIDDEN],
      [900, SHOWN],
    ],
    changes: [
      [500, true],
      [700, false],
      [1_400, true],
    ],
  },
  'a key whose release went to another window': {
    events: [
      [0, SHOWN],
      [100, key('press')],
      [200, HIDDEN],
      [300, SHOWN],
    ],
    changes: [[800, true]],
  },
}

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

describe('A11a, A11b: the inert time of the consent window', () => {
  test.for(Object.entries(TABLE))(
    'A11a, A11b: what happens, and when Allow may be pressed: %s',
    ([, { events, changes }]) => {
      const seen: Row['changes'] = []
      const time = createInertTime(LENGTH_MS, (over) => seen.push([Date.now(), over]))
      for (const [at, event] of events) setTimeout(() => time.handle(event), at)
      vi.advanceTimersByTime(10_000)
      expect(seen).toEqual(changes)
      expect(time.isOver()).toBe(seen.at(-1)?.[1] ?? false)
      time.stop()
    },
  )

  test('a press is judged at once: the click that follows it in the same task is none', () => {
    const time = createInertTime(LENGTH_MS, () => {})
    time.handle(SHOWN)
    vi.advanceTimersByTime(499)
    time.handle(pointer('press'))
    vi.advanceTimersByTime(5_000)
    time.handle(pointer('release'))
    expect(time.isOver()).toBe(false)
    time.stop()
  })

  test('a window that is closed has no timer left', () => {
    const time = createInertTime(LENGTH_MS, () => {})
    time.handle(SHOWN)
    time.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
