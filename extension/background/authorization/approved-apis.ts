/** Compares the APIs of a request with those that the user approved. Pure. */

import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import type { ApprovedApi } from '../../../shared/messages/screen-channel.ts'
import { scopeWords } from '../../../shared/oauth/scope.ts'

/**
 * Selects the requested APIs and scopes that the user approved. The consent window cannot add an API or
 * a scope that the page did not request. An API that was requested without scope is approved as a whole.
 *
 * @param approved Names an API by its index in `requested`, since a request may contain a resource
 * twice.
 */
export function selectApprovedApis(
  requested: readonly ApiAccess[],
  approved: readonly ApprovedApi[],
): ApiAccess[] {
  return requested.flatMap((api, index) => {
    const approvals = approved.filter((approval) => approval.index === index)
    if (api.scope === '') return approvals.length === 0 ? [] : [api]
    const approvedScopes = new Set(approvals.flatMap(({ scopes }) => scopes))
    const scope = scopeWords(api.scope)
      .filter((word) => approvedScopes.has(word))
      .join(' ')
    return scope === '' ? [] : [{ ...api, scope }]
  })
}

/** Tells whether the user approved all APIs and scopes of a request. */
export function isWholeRequest(requested: readonly ApiAccess[], approved: ApiAccess[]): boolean {
  return (
    approved.length === requested.length &&
    approved.every(({ scope }, index) => scope === requested[index]?.scope)
  )
}
