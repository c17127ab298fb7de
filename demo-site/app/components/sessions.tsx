/** Shows the grant of the page, and its sessions in the network. */

import type { Grant } from '../../../shared/messages/page-api.ts'
import type { QosSession } from '../model/qos-session.ts'
import type { Store } from '../model/store.ts'
import { Button } from './button.tsx'

const UNTIL = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

function Permission({ grant }: { grant: Grant }) {
  return (
    <dl class="facts" data-testid="grant" data-grant-id={grant.grantId} data-mode={grant.mode}>
      <div>
        <dt>Granted</dt>
        <dd>{grant.apis.map(({ scope }) => scope).join(', ')}</dd>
      </div>
      <div>
        <dt>By</dt>
        <dd>{new URL(grant.issuer).host}</dd>
      </div>
      <div>
        <dt>Until</dt>
        <dd>{UNTIL.format(grant.expiresAt)}</dd>
      </div>
      <div>
        <dt>Token</dt>
        <dd>
          {grant.tokenType}, {grant.mode === 'fetch' ? 'kept by your broker' : 'lent to this page'}
        </dd>
      </div>
    </dl>
  )
}

function Session({ session, store }: { session: QosSession; store: Store }) {
  return (
    <li class="session" data-testid="session" data-session-id={session.id}>
      <span class="session-light" aria-hidden="true" />
      <span class="session-name">{session.qosReference ?? 'Priority session'}</span>
      <code class="session-id">{session.id}</code>
      <Button
        kind="quiet"
        testId="end-session"
        sessionId={session.id}
        label={`End session ${session.id}`}
        disabled={store.activity.value !== undefined}
        onClick={() => store.endSession(session)}
      >
        End
      </Button>
    </li>
  )
}

export function Sessions({ store }: { store: Store }) {
  const grant = store.grant.value
  const sessions = store.sessions.value
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <header class="panel-head">
        <h2 id="sessions-title">Your sessions</h2>
        {grant && (
          <Button
            kind="plain"
            testId="list-sessions"
            busy={store.activity.value === 'list'}
            disabled={store.activity.value !== undefined}
            onClick={store.listSessions}
          >
            Ask the network
          </Button>
        )}
      </header>
      {grant ? (
        <Permission grant={grant} />
      ) : (
        <p class="empty">Connect to see and end sessions here.</p>
      )}
      {grant && sessions?.length === 0 && (
        <p class="empty" data-testid="sessions-empty">
          The network keeps no priority session for you.
        </p>
      )}
      {sessions && sessions.length > 0 && (
        <ul class="sessions">
          {sessions.map((session) => (
            <Session key={session.url} session={session} store={store} />
          ))}
        </ul>
      )}
    </section>
  )
}
