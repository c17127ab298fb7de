/**
 * Finds the grant of an origin that covers a URL, and checks that the API allows the HTTP method. A URL
 * belongs to the most specific API of the operator, which is the API with the longest base URL. So a
 * grant for an API never covers another API whose base URL is below the first.
 */

import type { OperatorApi, OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { type GrantRecord, getGrant, listGrants } from '../grants/grants.ts'
import { listOfferedApis } from '../grants/offered-apis.ts'
import { explainRejected } from '../operators/connect-diagnosis.ts'
import { findOperator, getMergedOperators } from '../operators/operators.ts'
import { invalidParams, noGrant } from '../platform/broker-error.ts'
import { isUnder, mayBeUnder } from './resource-url.ts'

export interface CallTarget {
  grant: GrantRecord
  /** The resource and scope of the API that were granted. */
  access: ApiAccess
  api: OperatorApi
  operator: OperatorProfile
}

/** The methods of an API whose profile names none. */
const DEFAULT_METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

const findLongest = (apis: readonly OperatorApi[]) =>
  apis.reduce<OperatorApi | undefined>(
    (longest, api) => (longest && longest.resource.length >= api.resource.length ? longest : api),
    undefined,
  )

/**
 * The API to which a URL belongs: of the APIs whose base URL contains it, the API with the longest base
 * URL. A URL that a less exact server could take for a URL of a longer base URL belongs to no API.
 */
export function findApiOfUrl(apis: readonly OperatorApi[], url: URL): OperatorApi | undefined {
  const found = findLongest(apis.filter(({ resource }) => isUnder(url, resource)))
  const foundLength = found?.resource.length ?? 0
  const isUncertain = apis.some(
    ({ resource }) =>
      resource.length > foundLength && !isUnder(url, resource) && mayBeUnder(url, resource),
  )
  return isUncertain ? undefined : found
}

/**
 * @param name Name of the page's parameter that contains the method, for the error message.
 * @throws BrokerError `invalid_params` for a method that the API does not allow.
 */
export function requireMethod(api: OperatorApi, method: string, name: string): void {
  const methods = api.methods ?? DEFAULT_METHODS
  if (!methods.includes(method)) {
    throw invalidParams(`${name}: expected one of ${methods.join(', ')}`)
  }
}

/** Explains why no grant covers a URL. The URL itself is not in the text. */
async function explainMissing(grants: readonly GrantRecord[]): Promise<string> {
  if (grants.length === 0) return 'this origin has no active grant'
  const merged = await getMergedOperators()
  const rejected = grants.map(({ issuer }) => explainRejected(merged, issuer)).find(Boolean)
  if (rejected !== undefined) return rejected
  const resources = [...new Set(grants.flatMap(({ apis }) => apis.map(({ resource }) => resource)))]
  return `the URL of the call is under no API that is granted and still offered; granted are ${resources.join(', ')}`
}

/**
 * @param grantId Searches this grant alone. Without it, all grants of the origin are searched.
 * @throws BrokerError `no_grant` without such a grant, also if the grant belongs to another origin.
 */
export async function findTarget(
  origin: string,
  url: URL,
  grantId: string | undefined,
): Promise<CallTarget> {
  const grants =
    grantId === undefined ? await listGrants(origin) : [await getGrant(origin, grantId)]
  for (const grant of grants) {
    const operator = await findOperator(grant.issuer)
    const api = operator && findApiOfUrl(operator.apis, url)
    const offered = api ? await listOfferedApis(grant) : []
    const access = offered.find(({ resource }) => resource === api?.resource)
    if (access && api) return { grant, access, api, operator }
  }
  throw noGrant(await explainMissing(grants))
}
