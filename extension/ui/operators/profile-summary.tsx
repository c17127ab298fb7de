/**
 * Shows the content of a profile to a user who has to decide on it: the issuer, the APIs, the applications.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { ForeignText } from '../foreign-text.tsx'

export function ProfileSummary({ profile }: { profile: OperatorProfile }) {
  const { issuer, apis, applications = [], onboarding = 'preregistered' } = profile
  return (
    <dl>
      <dt>Signs you in at</dt>
      <dd class="address">{issuer}</dd>
      <dt>APIs</dt>
      <dd>
        <ul class="plain">
          {apis.map(({ resource, name, description }) => (
            <li key={resource}>
              <strong>
                <ForeignText text={name} />
              </strong>
              {description && (
                <span class="quiet">
                  <ForeignText text={description} />
                </span>
              )}
              <span class="address">{resource}</span>
            </li>
          ))}
        </ul>
      </dd>
      <dt>Applications</dt>
      <dd>
        {applications.length === 0 && onboarding === 'preregistered' && 'None'}
        {onboarding !== 'preregistered' && <p>Any site that you allow may become one.</p>}
        <ul class="plain">
          {applications.map(({ clientId, name, origins, requireConsent }) => (
            <li key={`${clientId} ${origins.join()}`}>
              <strong>
                <ForeignText text={name} />
              </strong>
              <span class="address">{origins.join(', ')}</span>
              {requireConsent === false && (
                <span class="quiet">Northkey does not ask you before; the operator does.</span>
              )}
            </li>
          ))}
        </ul>
      </dd>
    </dl>
  )
}
