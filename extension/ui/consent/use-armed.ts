/**
 * Enables the buttons of a consent window only after the window has had the focus for half a second without
 * a break. This prevents clickjacking: a click that was meant for another window does not press "Allow".
 */

import { useEffect, useState } from 'preact/hooks'
import { CONSENT_INERT_MS } from '../../limits.ts'

/** @returns Whether the buttons are enabled. */
export function useArmed(): boolean {
  const [armed, setArmed] = useState(false)

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const disarm = () => {
      clearTimeout(timer)
      setArmed(false)
    }
    const arm = () => {
      disarm()
      if (!document.hasFocus() || document.visibilityState !== 'visible') return
      timer = setTimeout(() => setArmed(true), CONSENT_INERT_MS)
    }
    arm()
    window.addEventListener('focus', arm)
    window.addEventListener('blur', disarm)
    window.addEventListener('resize', arm)
    document.addEventListener('visibilitychange', arm)
    return () => {
      disarm()
      window.removeEventListener('focus', arm)
      window.removeEventListener('blur', disarm)
      window.removeEventListener('resize', arm)
      document.removeEventListener('visibilitychange', arm)
    }
  }, [])

  return armed
}
