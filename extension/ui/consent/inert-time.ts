/**
 * Decides when the user may press "Allow": after half a second in which the window had the focus, stood still, and
 * got no input. A press has to begin after that time. So no click and no key that was meant for another window, or
 * that the user repeats without reading, allows anything.
 *
 * The rules:
 * - Input in the inert time starts it anew: a pointer, a key, a touch. The wheel does not, since it presses nothing.
 * - The time does not pass while a key or a pointer is held.
 * - A key that repeats, and whose first press came before, was held when the window opened or got the focus: it
 *   counts as input in the inert time, also later.
 * - A window that was moved, resized, hidden, or left and entered again, is new to its user.
 *
 * Border: `use-inert-time.ts` has the events of the window.
 */

export type InertEvent =
  | { type: 'shown' | 'hidden' | 'changed' }
  /** A press of a key or pointer with this name. `repeats`: the key is held. */
  | { type: 'press'; device: 'key' | 'pointer'; name: string; repeats?: boolean }
  | { type: 'release'; device: 'key' | 'pointer'; name: string }

export interface InertTime {
  handle(event: InertEvent): void
  /** Whether "Allow" may be pressed. */
  isOver(): boolean
  stop(): void
}

/**
 * @param lengthMs Of the inert time.
 * @param onChange Gets whether the time is over, at each change.
 */
export function createInertTime(lengthMs: number, onChange: (over: boolean) => void): InertTime {
  const held = { key: new Set<string>(), pointer: new Set<string>() }
  let visible = false
  let over = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function setOver(value: boolean): void {
    if (over === value) return
    over = value
    onChange(over)
  }

  function restart(): void {
    clearTimeout(timer)
    setOver(false)
    if (!visible || held.key.size > 0 || held.pointer.size > 0) return
    timer = setTimeout(() => setOver(true), lengthMs)
  }

  return {
    handle(event) {
      switch (event.type) {
        case 'press': {
          const names = held[event.device]
          const began = names.has(event.name)
          if (!event.repeats) names.add(event.name)
          if (!over || (event.repeats && !began)) restart()
          break
        }
        case 'release':
          held[event.device].delete(event.name)
          if (!over) restart()
          break
        case 'shown':
        case 'hidden':
          // The release of a key is not reported while another window has the focus; that of a pointer is.
          held.key.clear()
          visible = event.type === 'shown'
          restart()
          break
        case 'changed':
          restart()
      }
    },
    isOver: () => over,
    stop: () => clearTimeout(timer),
  }
}
