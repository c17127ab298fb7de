/** Shows the broker that has answered the discovery. */

import type { BrokerState } from '../model/state.ts'

const TEXTS: Record<Exclude<BrokerState['kind'], 'found'>, string> = {
  searching: 'Looking for a broker',
  missing: 'No broker',
  gone: 'Broker gone',
}

export function Broker({ state }: { state: BrokerState }) {
  return (
    <output class="chip" data-testid="broker-state" data-state={state.kind}>
      {state.kind === 'found' && state.info.icon.startsWith('data:image/') ? (
        <img class="chip-icon" src={state.info.icon} alt="" width="20" height="20" />
      ) : (
        <span class="chip-light" aria-hidden="true" />
      )}
      {state.kind === 'found' ? state.info.name : TEXTS[state.kind]}
    </output>
  )
}
