/** Shows whether the pages of the active site can find Northkey, with the button that changes this. */

import type { Site } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'

interface Props {
  site: Site | undefined
  busy: boolean
  onUse(): void
  onStop(): void
}

export function SiteSwitch({ site, busy, onUse, onStop }: Props) {
  if (!site || site.state === 'unfit') {
    return (
      <section class="card quiet" data-testid="site" data-state="unfit">
        {site
          ? 'Northkey works on sites with https alone, and this one has none.'
          : 'This page is no site. Open one that wants to use your mobile network.'}
      </section>
    )
  }
  const { origin, state, operators } = site
  if (state === 'container') {
    return (
      <section class="card" data-testid="site" data-state={state}>
        <h2 class="origin">{origin}</h2>
        <p>This tab is in a container. Northkey does not run in container tabs.</p>
        <p class="quiet">
          It would connect you here with your other tabs. To use Northkey, open the site in a tab
          without a container.
        </p>
      </section>
    )
  }
  return (
    <section class="card" data-testid="site" data-state={state}>
      <h2 class="origin">{origin}</h2>
      {state === 'always' && (
        <p class="quiet">
          This is a development build: Northkey is on for this machine’s own sites.
        </p>
      )}
      {state === 'off' && (
        <>
          <p>This site does not know that you have Northkey.</p>
          {operators.map((operator) => (
            <p key={operator} class="quiet">
              <ForeignText text={operator} /> lists this site.
            </p>
          ))}
          <button type="button" class="primary" disabled={busy} onClick={onUse} data-testid="use">
            Use Northkey on this site
          </button>
        </>
      )}
      {state === 'on' && (
        <>
          <p>This site may ask to use your mobile network. You decide each time.</p>
          <button type="button" disabled={busy} onClick={onStop} data-testid="stop">
            Stop using Northkey on this site
          </button>
        </>
      )}
    </section>
  )
}
