/** What the user left of a request. Pure. */

import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import type { ApprovedApi } from '../../../shared/messages/screen-channel.ts'

/** What the page asked for without what the user took away. Nothing can be added. */
export function selectApprovedApis(
  asked: readonly ApiAccess[],
  approved: readonly ApprovedApi[],
): ApiAccess[] {
  return asked.flatMap((api, index) => {
    const left = new Set(
      approved.filter((api) => api.index === index).flatMap(({ scopes }) => scopes),
    )
    const scope = api.scope
      .split(' ')
      .filter((word) => left.has(word))
      .join(' ')
    return scope === '' ? [] : [{ ...api, scope }]
  })
}
