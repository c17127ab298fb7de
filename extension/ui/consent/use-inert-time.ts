/**
 * Reports the events of a consent window to its inert time. A window has no event for a move: its place is compared
 * at each frame that is drawn, and at each press.
 *
 * Border: `inert-time.ts` has the rules.
 */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { CONSENT_INERT_MS } from '../../limits.ts'
import { createInertTime, type InertTime } from './inert-time.ts'

interface InertState {
  /** Whether "Allow" is inert, for the next rendering. */
  inert: boolean
  /** The same, at this moment: a click may come before the next rendering. */
  isInert(): boolean
}

const isSeen = () => document.hasFocus() && document.visibilityState === 'visible'
const readPlace = () => `${window.screenX} ${window.screenY}`

/** Keys that press a button or a mark. Held down, they must not press again and again. */
const PRESSING_KEYS = ['Enter', ' ']
/** Keys that press nothing by themselves. Their release may be missing after a shortcut of the system. */
const MODIFIER_KEYS = ['Alt', 'AltGraph', 'CapsLock', 'Control', 'Meta', 'Shift']

function observeWindow(time: InertTime): () => void {
  const aborting = new AbortController()
  const { signal } = aborting
  let place = readPlace()
  let frame = 0

  function checkPlace(): void {
    const found = readPlace()
    if (found !== place) time.handle({ type: 'changed' })
    place = found
  }

  function checkEachFrame(): void {
    checkPlace()
    frame = requestAnimationFrame(checkEachFrame)
  }

  const handleFocus = () => time.handle({ type: isSeen() ? 'shown' : 'hidden' })

  function handleKey(event: KeyboardEvent): void {
    const { type, code, key, repeat, metaKey } = event
    if (repeat && PRESSING_KEYS.includes(key)) event.preventDefault()
    if (MODIFIER_KEYS.includes(key)) return
    if (type === 'keydown') {
      checkPlace()
      time.handle({ type: 'press', device: 'key', name: code, repeats: repeat })
    }
    // macOS reports no release of a key that was pressed together with the command key.
    if (type === 'keyup' || metaKey) time.handle({ type: 'release', device: 'key', name: code })
  }

  function handlePointer({ type, pointerId }: PointerEvent): void {
    if (type === 'pointerdown') checkPlace()
    const kind = type === 'pointerdown' ? 'press' : 'release'
    time.handle({ type: kind, device: 'pointer', name: String(pointerId) })
  }

  window.addEventListener('focus', handleFocus, { signal })
  window.addEventListener('blur', () => time.handle({ type: 'hidden' }), { signal })
  window.addEventListener('resize', () => time.handle({ type: 'changed' }), { signal })
  document.addEventListener('visibilitychange', handleFocus, { signal })
  // Before the elements get them: a press decides about the click that follows.
  for (const type of ['keydown', 'keyup'] as const) {
    window.addEventListener(type, handleKey, { signal, capture: true })
  }
  for (const type of ['pointerdown', 'pointerup', 'pointercancel'] as const) {
    window.addEventListener(type, handlePointer, { signal, capture: true })
  }
  handleFocus()
  checkEachFrame()
  return () => {
    aborting.abort()
    cancelAnimationFrame(frame)
    time.stop()
  }
}

export function useInertTime(): InertState {
  const [inert, setInert] = useState(true)
  const time = useRef<InertTime>(undefined)
  useEffect(() => {
    time.current = createInertTime(CONSENT_INERT_MS, (over) => setInert(!over))
    return observeWindow(time.current)
  }, [])
  const isInert = useCallback(() => !time.current?.isOver(), [])
  return { inert, isInert }
}
