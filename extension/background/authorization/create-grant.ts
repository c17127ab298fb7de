/**
 * Creates or renews a grant from the result of an authorization: for the subscriber who signed in, and
 * for the APIs that the user approved and the server granted. The tokens are stored first, then the
 * grant to which they belong: a worker that is stopped in between leaves no grant without tokens.
 *
 * A renewed grant keeps an identified subscriber. Otherwise it gets the subject handle of the new
 * authorization, and the tokens of the earlier authorization are deleted before: at no moment do tokens of
 * one authorization belong to the handle of another.
 */

import { grantedApis, type TokenSet } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, type ApiRequest, ERROR_CODE } from '../../../shared/messages/page-api.ts'
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
import type { ReplacedToken } from '../grants/stored-token.ts'
import { identifySubscriber, isSameSubscriber } from '../grants/subject-handle.ts'
import { deleteTokens, revokeUnused } from '../grants/token-endings.ts'
import { addReplaced, hasUsableTokens, saveTokens } from '../grants/token-records.ts'
import { runInGrantQueue } from '../grants/token-store.ts'
import { markTokenUse } from '../grants/token-use.ts'
import { findOperator, toApiRequest } from '../operators/operators.ts'
import { accessDenied, BrokerError, interrupted, operatorGone } from '../platform/broker-error.ts'
import { log } from '../platform/log.ts'
import type { Approval, FlowRecord } from './flow-records.ts'

/** @throws BrokerError if nothing can be granted. The tokens of the server are revoked in this case. */
export async function createGrant(
  record: FlowRecord,
  authorized: AuthorizationResult,
  approval: Approval,
  clientId: string,
): Promise<GrantRecord> {
  const { flowId, origin, request, renews } = record
  try {
    const server = await findOperator(request.issuer)
    if (!server) throw operatorGone()
    const requested = approval.apis.map((api) => toApiRequest(server, api))
    const apis = selectGrantedApis(server, requested, authorized.tokens)
    const [first] = apis
    if (!first) throw accessDenied()
    const granted = { ...approval, apis }
    const slot = authorized.tokens.resource ?? first.resource
    const grant = renews
      ? await runInGrantQueue(renews, async () => {
          const former = await getGrant(origin, renews)
          requireWithin(former, server, granted)
          const renewed = await renewGrant(former, flowId, authorized, granted, clientId)
          const replaced =
            renewed.subject === former.subject ? [] : await replaceSubject(former, renewed)
          return saveGrantWithTokens(renewed, flowId, slot, authorized, replaced)
        })
      : await saveGrantWithTokens(
          await makeGrant(record, authorized, granted, clientId),
          flowId,
          slot,
          authorized,
        )
    log.record('grant', renews ? 'renewed with the user' : 'granted', grant)
    return grant
  } catch (error) {
    if (renews === undefined) await deleteTokens(flowId)
    await revokeUnused({ issuer: request.issuer, origin, clientId }, flowId, authorized)
    throw error
  }
}

async function saveGrantWithTokens(
  grant: GrantRecord,
  keyId: string,
  slot: string,
  authorized: AuthorizationResult,
  replaced?: ReplacedToken[],
): Promise<GrantRecord> {
  // The slot of the whole scope of an API is its resource.
  const tokens = await markTokenUse(grant, slot, authorized.tokens)
  await saveTokens(grant, keyId, slot, { ...authorized, tokens }, replaced)
  await saveGrant(grant)
  return grant
}

/**
 * Gives a grant another subject handle. The tokens of the earlier handle are deleted before.
 *
 * @returns The deleted tokens.
 */
async function replaceSubject(
  former: GrantRecord,
  { subject, subscriber }: GrantRecord,
): Promise<ReplacedToken[]> {
  const replaced = await deleteTokens(former.grantId)
  await saveGrant({ ...former, subject, subscriber })
  return replaced
}

/**
 * Selects the requested APIs that the server granted. A token for a single resource does not state what
 * was granted of the other resources: with a refresh token, which can request their tokens, these count
 * as granted.
 *
 * @see RFC 8707 section 2.2
 */
function selectGrantedApis(
  server: OperatorProfile,
  requested: ApiRequest[],
  { scope, resource, refreshToken }: TokenSet,
): ApiAccess[] {
  const coveredByToken = requested.filter(
    (api) => resource === undefined || refreshToken === undefined || api.resource === resource,
  )
  const granted = grantedApis(server, coveredByToken, scope)
  return granted.length === 0
    ? []
    : [
        ...granted,
        ...requested
          .filter((api) => !coveredByToken.includes(api))
          .map((api) => ({ ...api, scope: api.scope ?? '' })),
      ]
}

async function makeGrant(
  { flowId, origin, request, applicationName, operatorName }: FlowRecord,
  authorized: AuthorizationResult,
  { apis, lifetime = 'once', expiresAt }: Approval,
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
    ...(await identifySubscriber({ issuer: request.issuer, origin }, flowId, authorized)),
    tokenType: authorized.tokens.tokenType,
    lifetime,
    session: await getSessionName(),
    createdAt,
    expiresAt: expiresAt ?? computeExpiry(lifetime, createdAt),
  }
}

/**
 * Checks that a renewal without a question stays within the stored grant: the user may have taken an API away from it
 * in the consent window, after the call that renews it has read it.
 *
 * @throws BrokerError `network_error` otherwise: a new call reads the grant again.
 */
function requireWithin(
  former: GrantRecord,
  server: OperatorProfile,
  { apis, lifetime }: Approval,
): void {
  // An approval in the consent window has a lifetime.
  if (lifetime !== undefined) return
  const isWithin = apis.every((api) => coversApi(former.apis, toApiRequest(server, api)))
  if (!isWithin) throw interrupted()
}

/**
 * A renewed grant keeps an identified subscriber. It keeps its lifetime unless the user chose another in the
 * consent window. It gets the client that its tokens belong to.
 */
async function renewGrant(
  grant: GrantRecord,
  flowId: string,
  authorized: AuthorizationResult,
  { apis, lifetime }: Approval,
  clientId: string,
): Promise<GrantRecord> {
  if (grant.subscriber === 'identified' && !(await isSameSubscriber(grant, authorized))) {
    throw new BrokerError(
      ERROR_CODE.untrustedResponse,
      'invalid_response',
      'another subscriber signed in at the operator',
    )
  }
  const subscriber =
    grant.subscriber === 'identified' ? {} : await identifySubscriber(grant, flowId, authorized)
  const { tokenType } = authorized.tokens
  const session = await getSessionName()
  const end = lifetime && { lifetime, session, expiresAt: computeExpiry(lifetime, Date.now()) }
  return { ...grant, ...subscriber, clientId, apis, tokenType, ...end }
}

/**
 * Ends the grants of the same application and subscriber whose APIs the new grant covers. A grant whose
 * subscriber is not identified ends too if it has no usable token left, since nothing renews it without the
 * user. Tokens are not revoked at the server before the new grant ends: a server that stores a single
 * authorization for each subscriber and client would end the new grant too.
 */
export async function endSupersededGrants(grant: GrantRecord): Promise<void> {
  const operator = await findOperator(grant.issuer)
  const toWanted = (api: ApiAccess) => (operator ? toApiRequest(operator, api) : api)
  for (const former of await listGrants(grant.origin)) {
    const isCovered =
      former.grantId !== grant.grantId &&
      former.issuer === grant.issuer &&
      former.clientId === grant.clientId &&
      former.mode === grant.mode &&
      former.apis.every((api) => coversApi(grant.apis, toWanted(api)))
    if (!isCovered) continue
    const isUnusable =
      former.subscriber === 'unidentified' && !(await hasUsableTokens(former.grantId))
    if (former.subject !== grant.subject && !isUnusable) continue
    await deleteGrant(former, grant.grantId)
    await addReplaced(grant.grantId, await deleteTokens(former.grantId))
    log.record('revocation', 'superseded', former)
  }
}
