/** Shows what a file changes in a profile that it replaces, to a user who has to decide on it. */

import type { ProfileChange, ReplacedOperator } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'

const SUBJECTS: Record<ProfileChange['subject'], string> = {
  server: 'Server',
  api: 'API',
  application: 'Application',
  member: 'Setting',
}

const KINDS: Record<ProfileChange['kind'], string> = {
  added: 'New',
  removed: 'Removed',
  changed: 'Changed',
}

export function Changes({ changes, endingOrigins, source }: ReplacedOperator) {
  return (
    <>
      <p>
        {source === 'demo'
          ? 'The demonstration has an operator with this issuer. The file takes its place and changes:'
          : 'You have imported an operator with this issuer. The file takes its place and changes:'}
      </p>
      <ul class="plain" data-testid="changes">
        {changes.length === 0 && <li>Nothing.</li>}
        {changes.map(({ subject, kind, name, members = [] }) => (
          <li key={`${subject} ${kind} ${name}`} data-kind={kind}>
            <strong>
              {KINDS[kind]}: {SUBJECTS[subject]}
            </strong>{' '}
            <ForeignText text={name} />
            {members.length > 0 && (
              <span class="quiet">
                <ForeignText text={members.join(', ')} />
              </span>
            )}
          </li>
        ))}
      </ul>
      <p data-testid="ending">
        {endingOrigins.length === 0
          ? 'No connection ends.'
          : `The change concerns the connections of these sites, which end: ${endingOrigins.join(', ')}`}
      </p>
    </>
  )
}
