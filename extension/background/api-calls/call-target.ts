/**
 * Which grant of an origin a call falls under, and whether the API allows the call. The most specific
 * API of the operator answers for a URL, so that a grant for one API never reaches another one that
 * happens to lie below it.
 */

import type { OperatorApi, OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { type GrantRecord, getGrant, listGrants } from '../grants/grants.ts'
import { listOfferedApis } from '../grants/offered-apis.ts'
import { findOperator } from '../operators/operators.ts'
import { invalidParams, noGrant } from '../platform/broker-error.ts'
import { isUnder } from './resource-url.ts'

export interface CallTarget {
  grant: GrantRecord
  /** What was granted of the API. */
  access: ApiAccess
  api: OperatorApi
  operator: OperatorProfile
}

/** Where a profile names no methods. */
const ALL_METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** The API that answers for a URL: the one with the longest base. */
export function apiFor(apis: readonly OperatorApi[], url: URL): OperatorApi | undefined {
  return apis
    .filter(({ resource }) => isUnder(url, resource))
    .reduce<OperatorApi | undefined>(
      (best, api) => (best && best.resource.length >= api.resource.length ? best : api),
      undefined,
    )
}

/**
 * @param name How the caller named the method, for the error.
 * @throws BrokerError `invalid_params` for a method that the API does not allow.
 */
export function requireMethod(api: OperatorApi, method: string, name: string): void {
  const methods = api.methods ?? ALL_METHODS
  if (!methods.includes(method)) {
    throw invalidParams(`${name}: expected one of ${methods.join(', ')}`)
  }
}

/** @throws BrokerError `no_grant`, whether there is none or it is another origin's. */
export async function findTarget(
  origin: string,
  url: URL,
  grantId: string | undefined,
): Promise<CallTarget> {
  const grants =
    grantId === undefined ? await listGrants(origin) : [await getGrant(origin, grantId)]
  for (const grant of grants) {
    const operator = await findOperator(grant.issuer)
    const api = operator && apiFor(operator.apis, url)
    const offered = api ? await listOfferedApis(grant) : []
    const access = offered.find(({ resource }) => resource === api?.resource)
    if (access && api) return { grant, access, api, operator }
  }
  throw noGrant()
}
