/**
 * Asks the user whether to add an operator: with the content of its profile, or a second time with the servers that
 * the operator's metadata named.
 */

import type { RefObject } from 'preact'
import type { AcceptedOperator } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { Changes } from './changes.tsx'
import { ProfileSummary } from './profile-summary.tsx'
import { ServerList } from './server-list.tsx'

interface Props {
  heading: RefObject<HTMLHeadingElement | null>
  accepted: AcceptedOperator
  /** Origins that the operator's metadata named after the first confirmation. */
  found: string[] | undefined
  busy: boolean
  onCancel(): void
  onConfirm(): void
}

export function Confirmation(props: Props) {
  const { heading, accepted, found, busy, onCancel, onConfirm } = props
  const { profile, servers, replaces } = accepted
  const verb = replaces ? 'Replace' : 'Add'
  return (
    <section
      class="card"
      aria-labelledby="confirm-title"
      data-testid={found ? 'second-confirmation' : 'confirmation'}
    >
      <h3 id="confirm-title" ref={heading}>
        {verb}{' '}
        <q>
          <ForeignText text={(replaces?.profile ?? profile).name} />
        </q>
        {found ? ' with these servers too?' : '?'}
      </h3>
      {found ? (
        <>
          <p>
            The operator’s server names servers that are not in the file. They would get your
            sign-in codes and keys.
          </p>
          <ServerList servers={servers.filter(({ origin }) => found.includes(origin))} />
        </>
      ) : (
        <>
          <p>
            {verb} it only if you got the file from your operator or your organization. Who controls
            the servers below can see which sites you connect, and act in your name at the operator.
          </p>
          {replaces && <Changes {...replaces} />}
          <ProfileSummary profile={profile} servers={servers} />
        </>
      )}
      <footer>
        <button type="button" onClick={onCancel} data-testid="cancel-import">
          Don’t {verb.toLowerCase()}
        </button>
        <button
          type="button"
          class="primary"
          disabled={busy}
          onClick={onConfirm}
          data-testid="confirm-import"
        >
          {busy ? 'One moment …' : `${verb} operator`}
        </button>
      </footer>
    </section>
  )
}
