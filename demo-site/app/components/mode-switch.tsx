/** Selects the mode: the broker makes the call (default), or the page does with an access token. */

import type { Signal } from '@preact/signals'
import type { Mode } from '../../../shared/messages/page-api.ts'

const MODES: { mode: Mode; title: string; text: string }[] = [
  { mode: 'fetch', title: 'Broker calls', text: 'The token stays in your broker' },
  { mode: 'token', title: 'Page calls', text: 'The page gets an access token' },
]

export function ModeSwitch({ mode, disabled }: { mode: Signal<Mode>; disabled: boolean }) {
  return (
    <fieldset class="modes" disabled={disabled}>
      <legend class="visually-hidden">Who calls the network</legend>
      {MODES.map((choice) => (
        <label key={choice.mode} class="mode">
          <input
            type="radio"
            name="mode"
            value={choice.mode}
            data-testid={`mode-${choice.mode}`}
            checked={mode.value === choice.mode}
            onChange={() => {
              mode.value = choice.mode
            }}
          />
          <span class="mode-title">{choice.title}</span>
          <span class="mode-text">{choice.text}</span>
        </label>
      ))}
    </fieldset>
  )
}
