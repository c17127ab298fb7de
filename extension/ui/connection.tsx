/** Shows a connection (a grant): its site, operator, APIs and expiry, with a button that ends it. */

import { toReadableText } from '../../shared/messages/readable-text.ts'
import type { ConnectedSite } from '../../shared/messages/screen-channel.ts'
import { ForeignText } from './foreign-text.tsx'
import { Time } from './parts.tsx'

interface Props {
  site: ConnectedSite
  busy: boolean
  onEnd(): void
}

export function Connection({ site, busy, onEnd }: Props) {
  const { applicationName, origin, operatorName, apis, mode, expiresAt, lifetime } = site
  return (
    <li class="card site" data-testid="connection">
      <div>
        <strong>
          <ForeignText text={applicationName} />
        </strong>
        <span class="origin">{origin}</span>
        <span class="quiet">
          <ForeignText text={operatorName} />,{' '}
          {lifetime === 'month' ? 'if not used before, until' : 'until'} <Time at={expiresAt} />
        </span>
        <ul class="plain quiet">
          {apis.map(({ resource, scope }) => (
            <li key={`${resource} ${scope}`}>
              <code>
                <ForeignText text={scope} />
              </code>{' '}
              at {new URL(resource).host}
            </li>
          ))}
          {mode === 'token' && <li>The site holds the access tokens itself.</li>}
        </ul>
      </div>
      <button
        type="button"
        disabled={busy}
        onClick={onEnd}
        aria-label={`Disconnect ${toReadableText(applicationName)} at ${origin} from ${toReadableText(operatorName)}`}
      >
        Disconnect
      </button>
    </li>
  )
}
