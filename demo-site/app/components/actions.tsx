/** Shows the actions that the player can take now, and the mode switch. */

import { useEffect, useRef } from 'preact/hooks'
import type { Activity } from '../model/state.ts'
import type { Store } from '../model/store.ts'
import { Button } from './button.tsx'
import { ModeSwitch } from './mode-switch.tsx'

const WAITING: Record<Activity, string> = {
  connect: 'Your broker has opened a window. Answer there, then come back.',
  boost: 'Your broker is asking the network for a priority session.',
  list: 'Asking the network which sessions it keeps.',
  end: 'Telling the network to end the session.',
  disconnect: 'Giving the permission back.',
}

const IDLE = {
  connect: 'Connecting opens a window of your broker, where you decide.',
  boost: 'Boost asks the network for a priority session.',
  boosted: 'Your stream has priority. End the session when you stop playing.',
}

export function Actions({ store }: { store: Store }) {
  const { activity, grant, boosted, broker, mode } = store
  const runningActivity = activity.value
  const currentGrant = grant.value
  const ready = broker.value.kind === 'found'
  const idle = currentGrant ? (boosted.value ? IDLE.boosted : IDLE.boost) : IDLE.connect
  const row = useRef<HTMLDivElement>(null)
  const previousActivity = useRef(runningActivity)

  // A button may disappear after its action; the next button then gets the focus.
  useEffect(() => {
    const ended = previousActivity.current !== undefined && runningActivity === undefined
    if (ended && document.activeElement === document.body) {
      row.current?.querySelector('button')?.focus()
    }
    previousActivity.current = runningActivity
  }, [runningActivity])

  return (
    <div class="actions">
      <ModeSwitch mode={mode} disabled={runningActivity !== undefined} />
      <div class="actions-row" ref={row}>
        {currentGrant ? (
          <>
            <Button
              kind={boosted.value ? 'plain' : 'primary'}
              testId="boost"
              busy={runningActivity === 'boost'}
              disabled={runningActivity !== undefined}
              onClick={store.boost}
            >
              {boosted.value ? 'Boost once more' : 'Boost my stream'}
            </Button>
            <Button
              kind="plain"
              testId="disconnect"
              busy={runningActivity === 'disconnect'}
              disabled={runningActivity !== undefined}
              onClick={store.disconnect}
            >
              Disconnect
            </Button>
          </>
        ) : (
          <Button
            kind="primary"
            testId="connect"
            busy={runningActivity === 'connect'}
            disabled={!ready || runningActivity !== undefined}
            onClick={store.connect}
          >
            Connect
          </Button>
        )}
        {runningActivity !== undefined && runningActivity !== 'disconnect' && (
          <Button kind="quiet" testId="cancel" onClick={store.cancel}>
            Cancel
          </Button>
        )}
      </div>
      <p class="actions-hint" aria-live="polite">
        {runningActivity ? WAITING[runningActivity] : idle}
      </p>
    </div>
  )
}
