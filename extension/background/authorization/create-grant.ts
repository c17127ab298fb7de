/**
 * What an authorization brought becomes a grant: for the subscriber who gave it, for the APIs that the
 * user approved and the server granted. Tokens first, then the grant that they belong to.
 */

import { grantedApis, type TokenSet } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import type { AuthorizationResult } from '../grants/authorization-result.ts'
import {
  computeExpiry,
  coversApi,
  deleteGrant,
  type GrantRecord,
  getGrant,
  getSessionName,
  listGrants,
  saveGrant,
} from '../grants/grants.ts'
import { computeSubjectHandle, isSameSubject } from '../grants/subject-handle.ts'
import { deleteTokens, revokeUnused, saveTokens } from '../grants/token-records.ts'
import { findOperator } from '../operators/operators.ts'
import { accessDenied, BrokerError, noGrant } from '../platform/broker-error.ts'
import { log } from '../platform/log.ts'
import type { Approval, FlowRecord } from './flow-records.ts'

/** @throws BrokerError where nothing can be granted: what the server gave is revoked then. */
export async function createGrant(
  record: FlowRecord,
  authorized: AuthorizationResult,
  approval: Approval,
  clientId: string,
): Promise<GrantRecord> {
  const { flowId, origin, request, renews } = record
  try {
    const server = await findOperator(request.issuer)
    if (!server) throw noGrant()
    const apis = selectGrantedApis(server, approval.apis, authorized.tokens)
    const [first] = apis
    if (!first) throw accessDenied()
    const grant = renews
      ? await renewGrant(await getGrant(origin, renews), authorized, { ...approval, apis })
      : await makeGrant(record, authorized, { ...approval, apis }, clientId)
    await saveTokens(grant, flowId, authorized.tokens.resource ?? first.resource, authorized)
    await saveGrant(grant)
    log.record('grant', renews ? 'renewed with the user' : 'granted', grant)
    return grant
  } catch (error) {
    if (renews === undefined) await deleteTokens(flowId)
    await revokeUnused({ issuer: request.issuer, origin, clientId }, flowId, authorized)
    throw error
  }
}

/**
 * A token for one resource says nothing of the others: what the user approved of those is granted, as
 * far as there is a refresh token to ask with. @see RFC 8707 section 2.2
 */
function selectGrantedApis(
  server: OperatorProfile,
  approved: ApiAccess[],
  { scope, resource, refreshToken }: TokenSet,
): ApiAccess[] {
  const judged = approved.filter(
    (api) => resource === undefined || refreshToken === undefined || api.resource === resource,
  )
  const granted = grantedApis(server, judged, scope)
  return granted.length === 0
    ? []
    : [...granted, ...approved.filter((api) => !judged.includes(api))]
}

async function makeGrant(
  { flowId, origin, request, applicationName, operatorName }: FlowRecord,
  { tokens }: AuthorizationResult,
  { apis, lifetime = 'once' }: Approval,
  clientId: string,
): Promise<GrantRecord> {
  const createdAt = Date.now()
  return {
    grantId: flowId,
    origin,
    issuer: request.issuer,
    clientId,
    applicationName,
    operatorName,
    mode: request.mode,
    apis,
    subject: await computeSubjectHandle(request.issuer, tokens.subject ?? flowId, origin),
    tokenType: tokens.tokenType,
    lifetime,
    session: await getSessionName(),
    createdAt,
    expiresAt: computeExpiry(lifetime, createdAt),
  }
}

/** A grant keeps its subscriber, and its end unless the user was asked for another one. */
async function renewGrant(
  grant: GrantRecord,
  authorized: AuthorizationResult,
  { apis, lifetime }: Approval,
): Promise<GrantRecord> {
  if (!(await isSameSubject(grant, authorized))) {
    throw new BrokerError(
      ERROR_CODE.untrustedResponse,
      'invalid_response',
      'another subscriber signed in at the operator',
    )
  }
  const { tokenType } = authorized.tokens
  const session = await getSessionName()
  const end = lifetime && { lifetime, session, expiresAt: computeExpiry(lifetime, Date.now()) }
  return { ...grant, apis, tokenType, ...end }
}

/**
 * Ends the grants of the same application and subscriber that the new one makes superfluous. Their
 * server is not told: where it keeps one authorization for each subscriber and client, that would end
 * the new grant too.
 */
export async function endSupersededGrants(grant: GrantRecord): Promise<void> {
  const superfluous = (await listGrants(grant.origin)).filter(
    (former) =>
      former.grantId !== grant.grantId &&
      former.issuer === grant.issuer &&
      former.clientId === grant.clientId &&
      former.subject === grant.subject &&
      former.mode === grant.mode &&
      former.apis.every((api) => coversApi(grant.apis, api)),
  )
  for (const former of superfluous) {
    await deleteGrant(former)
    await deleteTokens(former.grantId)
    log.record('revocation', 'superseded', former)
  }
}
