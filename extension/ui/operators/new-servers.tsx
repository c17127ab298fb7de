/**
 * Shows the servers that an operator's metadata name and its profile does not, with the button that adds them. A
 * profile of the organization or of the demonstration cannot be changed here.
 */

import type { KnownOperator } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'

interface Props {
  operator: KnownOperator
  busy: boolean
  onAdd(): void
}

export function NewServers({ operator: { profile, source, unnamed }, busy, onAdd }: Props) {
  if (!unnamed) return null
  const { signInOrigin, serverOrigins } = unnamed.additions
  return (
    <div class="card alert" data-testid="unnamed">
      <p>
        <ForeignText text={profile.name} /> wants to use servers that nobody has confirmed. Northkey
        sends them nothing.
      </p>
      <ul class="plain servers">
        {signInOrigin !== undefined && (
          <li>
            <span class="address">{signInOrigin}</span>
            <span class="quiet">you would sign in there</span>
          </li>
        )}
        {serverOrigins.map((origin) => (
          <li key={origin}>
            <span class="address">{origin}</span>
            <span class="quiet">would get sign-in codes, keys or notices</span>
          </li>
        ))}
      </ul>
      {source === 'file' ? (
        <>
          <p>Confirm them only if your operator has told you of them.</p>
          <button type="button" disabled={busy} onClick={onAdd} data-testid="add-servers">
            Let Northkey use them
          </button>
        </>
      ) : (
        <p>
          {source === 'policy' ? 'Your organization' : 'Who runs the demonstration'} has to name
          them in the profile: <code>signInOrigin</code>, <code>serverOrigins</code>.
        </p>
      )}
    </div>
  )
}
