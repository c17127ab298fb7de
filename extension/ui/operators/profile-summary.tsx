/**
 * Shows the content of a profile to a user who has to decide on it: the issuer, all servers, the APIs, the
 * applications.
 */

import type {
  ConsentWaiver,
  OperatorApi,
  OperatorProfile,
} from '../../../shared/messages/operator-profile.ts'
import type { OperatorServer } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { ServerList } from './server-list.tsx'

/** Shows the first grant that an application gets without a question of Northkey. */
function WaiverSummary({ waiver, apis }: { waiver: ConsentWaiver; apis: OperatorApi[] }) {
  const { modes = ['fetch'] } = waiver
  return (
    <>
      <span class="quiet">
        Northkey does not ask you before the first connection for this; the operator does:
      </span>
      <ul class="plain">
        {waiver.apis.map(({ resource, scope, purpose }) => (
          <li key={`${resource} ${scope} ${purpose}`} class="quiet">
            <ForeignText text={apis.find((api) => api.resource === resource)?.name ?? resource} />
            {scope !== undefined && (
              <>
                : <ForeignText text={scope} />
              </>
            )}
            {purpose && (
              <>
                , for <ForeignText text={purpose} />
              </>
            )}
          </li>
        ))}
        {modes.includes('token') && (
          <li class="quiet">The site may read its access tokens and make the calls itself.</li>
        )}
      </ul>
    </>
  )
}

interface Props {
  profile: OperatorProfile
  servers: OperatorServer[]
}

export function ProfileSummary({ profile, servers }: Props) {
  const { issuer, apis, applications = [], onboarding = 'preregistered' } = profile
  return (
    <dl>
      <dt>Issuer</dt>
      <dd class="address">{issuer}</dd>
      <dt>Servers</dt>
      <dd>
        <ServerList servers={servers} />
      </dd>
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
          {applications.map(({ clientId, name, origins, requireConsent, consentWaiver }) => (
            <li key={`${clientId} ${origins.join()}`}>
              <strong>
                <ForeignText text={name} />
              </strong>
              <span class="address">{origins.join(', ')}</span>
              {requireConsent === false && consentWaiver && (
                <WaiverSummary waiver={consentWaiver} apis={apis} />
              )}
            </li>
          ))}
        </ul>
      </dd>
    </dl>
  )
}
