/**
 * Decides whether the broker's own consent window is shown before a grant. An operator may waive it for the
 * first grant of an application, as far as its profile declares mode, APIs, scopes and purposes. The waiver
 * widens nothing: where the origin has a grant at the operator already, a request is waived only if it stays
 * within a grant of the same application, and then it does not last longer than that grant.
 *
 * Pure. Border: the sign-in and the consent at the authorization function are not affected. An API that
 * demands more scope is never waived (`methods/user-interaction.ts`).
 */

import type { OperatorApplication } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess, ApiRequest, Mode } from '../../../shared/messages/page-api.ts'
import { coversApi, type GrantRecord } from '../grants/grants.ts'
import type { Approval } from './flow-records.ts'

/** Application as far as the decision needs it. `clientId` is absent until the broker has registered it. */
export type WaivedApplication = Partial<
  Pick<OperatorApplication, 'clientId' | 'requireConsent' | 'consentWaiver'>
>

export interface GrantRequest {
  apis: ApiAccess[]
  mode: Mode
}

const coversApis = (granted: readonly ApiRequest[], { apis }: GrantRequest) =>
  apis.every((api) => coversApi(granted, api))

/** A grant of mode `token` allows the calls of mode `fetch` too. */
const coversMode = (granted: Mode, requested: Mode) => granted === requested || granted === 'token'

/**
 * @param grants Active grants of the origin at the operator, of all its applications.
 * @returns The approval that needs no consent window, or `'ask'`.
 */
export function decideConsent(
  { clientId, requireConsent = true, consentWaiver }: WaivedApplication,
  request: GrantRequest,
  grants: readonly GrantRecord[],
): Approval | 'ask' {
  if (requireConsent || !consentWaiver) return 'ask'
  const { modes = ['fetch'], apis } = consentWaiver
  if (!modes.includes(request.mode) || !coversApis(apis, request)) return 'ask'
  if (grants.length === 0) return { apis: request.apis, lifetime: 'day' }
  const [longest] = grants
    .filter(
      (grant) =>
        grant.clientId === clientId &&
        coversMode(grant.mode, request.mode) &&
        coversApis(grant.apis, request),
    )
    .sort((former, latter) => latter.expiresAt - former.expiresAt)
  if (!longest) return 'ask'
  const { lifetime, expiresAt } = longest
  return { apis: request.apis, lifetime, expiresAt }
}
