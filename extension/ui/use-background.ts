/** What a screen shows of the background: loaded, loaded again after each change, or why not. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { keepFocus } from './keep-focus.ts'

export interface Background<T> {
  /** `undefined` until it is there for the first time. */
  data: T | undefined
  /** In words, for the user. */
  error: string | undefined
  /** Whether a change is on its way. */
  busy: boolean
  /** Carries out a change and loads anew. What goes wrong is shown, and nothing is thrown. */
  change(task: () => Promise<unknown>): Promise<void>
}

export function useBackground<T>(load: () => Promise<T>): Background<T> {
  const [data, setData] = useState<T>()
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const restoreFocus = useRef<(() => void) | undefined>(undefined)

  const change = useCallback(async (task: () => Promise<unknown>) => {
    restoreFocus.current = keepFocus()
    setBusy(true)
    setError(undefined)
    try {
      await task()
    } catch (caught) {
      setError(caught instanceof Error ? caught.message : 'Northkey did not answer.')
    }
    try {
      setData(await load())
    } catch {
      setError('Northkey did not answer. Close this window and open it again.')
    }
    setBusy(false)
  }, [])

  useEffect(() => {
    if (!busy) restoreFocus.current?.()
  }, [busy])
  useEffect(() => void change(async () => {}), [])

  return { data, error, busy, change }
}
