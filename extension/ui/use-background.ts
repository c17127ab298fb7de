/** Hook that loads the data of a screen from the background, and loads it again after each change. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { keepFocus } from './keep-focus.ts'

export interface Background<T> {
  /** `undefined` until the first load has succeeded. */
  data: T | undefined
  /** Message for the user. */
  error: string | undefined
  /** Whether a change or a load is in flight. */
  busy: boolean
  /** Loads again what has changed elsewhere, and leaves everything else as it is. */
  reload(): Promise<void>
  /** Executes a change, then loads again. It never throws: an error is shown in `error`. */
  applyChange(task: () => Promise<unknown>): Promise<void>
}

export function useBackground<T>(load: () => Promise<T>): Background<T> {
  const [data, setData] = useState<T>()
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const restoreFocus = useRef<(() => void) | undefined>(undefined)

  const applyChange = useCallback(async (task: () => Promise<unknown>) => {
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

  const reload = useCallback(async () => {
    const loaded = await load().catch(() => undefined)
    if (loaded !== undefined) setData(loaded)
  }, [])

  useEffect(() => {
    if (!busy) restoreFocus.current?.()
  }, [busy])
  useEffect(() => void applyChange(async () => {}), [])

  return { data, error, busy, reload, applyChange }
}
