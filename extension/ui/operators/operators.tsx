/**
 * Shows the operators with their sources, and the rejected profiles with the reasons. The user can import
 * and remove profiles.
 */

import { useEffect, useState } from 'preact/hooks'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { toReadableText } from '../../../shared/messages/readable-text.ts'
import type {
  KnownOperator,
  OperatorCheck,
  RejectedOperator,
  UnnamedServers,
} from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { Alert, Frame } from '../parts.tsx'
import type { ScreenClient } from '../screen-client.ts'
import { useBackground } from '../use-background.ts'
import { Import } from './import.tsx'
import { NewServers } from './new-servers.tsx'
import { Policy } from './policy.tsx'
import { ProfileSummary } from './profile-summary.tsx'
import { RedirectUris } from './redirect-uris.tsx'

const PERMISSION_REFUSED =
  'Your browser has not given Northkey access to these servers, so nothing was changed.'

interface RemovedOperator {
  profile: OperatorProfile
  /** Host permissions that were removed with the operator. */
  permissions: string[]
}

const SOURCES = {
  policy: 'Set by your organization',
  file: 'Imported by you',
  demo: 'Demonstration',
}

export function Operators({ client }: { client: ScreenClient }) {
  const { data, error, busy, reload, applyChange } = useBackground(() =>
    client.sendRequest('listOperators', {}),
  )
  const [removed, setRemoved] = useState<RemovedOperator>()

  useEffect(() => client.onOperatorsChanged(() => void reload()), [])

  function removeOperator(operator: KnownOperator): void {
    void applyChange(async () => {
      const { permissions } = await client.sendRequest('removeOperator', {
        issuer: operator.profile.issuer,
      })
      setRemoved({ profile: operator.profile, permissions })
    })
  }

  /**
   * Requests host permissions, and applies a change once the browser has given them. It has to be called in the
   * click itself.
   */
  function changeWithPermission(origins: string[], change: () => Promise<OperatorCheck>): void {
    const permissionRequest =
      origins.length === 0 ? Promise.resolve(true) : client.requestPermissions(origins)
    void applyChange(async () => {
      if (!(await permissionRequest)) throw new Error(PERMISSION_REFUSED)
      const { reasons } = await change()
      if (reasons) throw new Error(reasons.join('. '))
    })
  }

  function undoRemoval({ profile, permissions }: RemovedOperator): void {
    changeWithPermission(permissions, async () => {
      const check = await client.sendRequest('addOperator', { text: JSON.stringify(profile) })
      setRemoved(undefined)
      return check
    })
  }

  return (
    <Frame title="Operators" here="operators">
      <p>
        Northkey asks only these operators for access, and only for the APIs that they list. No site
        can add one.
      </p>
      <Alert text={error} />
      <div role="status" class={removed ? 'card site' : undefined}>
        {removed && (
          <>
            <span>
              <ForeignText text={removed.profile.name} /> is removed, and its connections are ended.
            </span>
            <button type="button" onClick={() => undoRemoval(removed)} data-testid="undo">
              Undo
            </button>
          </>
        )}
      </div>
      {!data && !error && <p class="quiet">Loading …</p>}
      {data?.operators.length === 0 && (
        <p class="card quiet">
          None yet. Your operator or your organization gives you a file; import it below.
        </p>
      )}
      <ul>
        {data?.operators.map((operator) => (
          <Operator
            key={operator.profile.issuer}
            client={client}
            operator={operator}
            busy={busy}
            onRemove={() => removeOperator(operator)}
            onReach={() => {
              const permissionRequest = client.requestPermissions(operator.unreachable)
              void applyChange(() => permissionRequest)
            }}
            onAddServers={({ additions, permissions }) =>
              changeWithPermission(permissions, () =>
                client.sendRequest('addServers', { issuer: operator.profile.issuer, additions }),
              )
            }
          />
        ))}
      </ul>
      {data && data.rejected.length > 0 && <Rejected rejected={data.rejected} />}
      {data && <Policy keys={data.policy} />}
      <Import
        client={client}
        onImported={() => void applyChange(async () => setRemoved(undefined))}
      />
    </Frame>
  )
}

interface OperatorProps {
  client: ScreenClient
  operator: KnownOperator
  busy: boolean
  onRemove(): void
  onReach(): void
  onAddServers(unnamed: UnnamedServers): void
}

function Operator({ client, operator, busy, onRemove, onReach, onAddServers }: OperatorProps) {
  const { profile, source, servers, unreachable, unnamed, redirectUris } = operator
  return (
    <li class="card" data-testid="operator">
      <div class="site">
        <h2>
          <ForeignText text={profile.name} />
        </h2>
        <span class="quiet">{SOURCES[source]}</span>
      </div>
      <ProfileSummary profile={profile} servers={servers} />
      <RedirectUris client={client} operatorName={profile.name} uris={redirectUris} />
      {unnamed && (
        <NewServers operator={operator} busy={busy} onAdd={() => onAddServers(unnamed)} />
      )}
      {unreachable.length > 0 && (
        <div class="card alert" data-testid="unreachable">
          <p>
            Northkey may not reach this operator’s servers yet. Your browser asks for your
            permission.
          </p>
          <button type="button" class="primary" disabled={busy} onClick={onReach}>
            Let Northkey reach them
          </button>
        </div>
      )}
      {source === 'file' && (
        <button
          type="button"
          disabled={busy}
          onClick={onRemove}
          aria-label={`Remove ${toReadableText(profile.name)}`}
          data-testid="remove"
        >
          Remove
        </button>
      )}
    </li>
  )
}

/** Longest reason that is shown, in characters. Some name a rule and what to do. */
const MAX_REASON = 400

function Rejected({ rejected }: { rejected: RejectedOperator[] }) {
  return (
    <section aria-labelledby="rejected-title">
      <h2 id="rejected-title">Not used</h2>
      <ul>
        {rejected.map(({ name, source, reasons }, index) => (
          <li key={`${index} ${name}`} class="card" data-testid="rejected">
            <strong>
              <ForeignText text={name} />
            </strong>
            <span class="quiet">{SOURCES[source]}</span>
            <ul class="plain">
              {reasons.map((reason) => (
                <li key={reason}>
                  <ForeignText text={reason} maxLength={MAX_REASON} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  )
}
