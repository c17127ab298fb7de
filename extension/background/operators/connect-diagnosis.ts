/**
 * Finds out why an origin may not connect at an issuer, for the user's log and for the console of a development build.
 * The page itself gets the same error in each case (`no_grant`).
 *
 * A diagnosis has the words of operator profiles and the origin, and nothing that the page chose: so a page can cause
 * no more different texts than there are profiles. Pure.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { RejectedOperator } from '../../../shared/messages/screen-channel.ts'
import { findSameIssuer, type MergedOperators } from './merge-operator-profiles.ts'

/** Origins, issuers and reasons that a diagnosis lists. */
const MAX_LISTED = 3

/** Where a page wants to connect. The values of the page are compared and never repeated. */
export interface WantedApplication {
  origin: string
  issuer: string
  clientId: string | undefined
}

function list(values: readonly string[]): string {
  const unique = [...new Set(values)]
  const more = unique.length - MAX_LISTED
  const shown = unique.slice(0, MAX_LISTED).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

/** @returns `undefined` if no profile of this issuer is rejected. */
export function explainRejected({ rejected }: MergedOperators, issuer: string): string | undefined {
  const profile = rejected.find((candidate) => candidate.issuer === issuer)
  return profile && `the profile of ${profile.name} is rejected: ${list(profile.reasons)}`
}

/** Explains why an operator does not offer a resource with the scopes of a call. */
export function explainUnofferedApi({ name, apis }: OperatorProfile, resource: string): string {
  const offered = apis.filter((api) => api.resource === resource)
  const [first] = offered
  if (!first) {
    return `${name} has no API with the resource of the call; there are ${list(apis.map((api) => api.resource))}`
  }
  const scopes = offered.flatMap((api) => api.scopes ?? []).map(({ scope }) => scope)
  const how = scopes.length === 0 ? 'without scope' : `with the scopes ${list(scopes)}`
  return `${name} offers ${first.resource} ${how}`
}

function explainUnknownIssuer(merged: MergedOperators, issuer: string): string {
  const rejected = explainRejected(merged, issuer)
  if (rejected !== undefined) return rejected
  const { operators } = merged
  const profiles = operators.map(({ profile }) => profile)
  const similar = findSameIssuer(profiles, issuer)
  if (similar) {
    return `the issuer of ${similar.name} is spelled ${similar.issuer}; the call has another spelling`
  }
  if (profiles.length === 0) return 'no operator is known; add one on the page of operators'
  return `no operator has the issuer of the call; known are ${list(profiles.map((profile) => profile.issuer))}`
}

/**
 * Explains why there is no application for an origin.
 *
 * @param merged The operators, of which none has an application for the origin at this issuer.
 */
export function explainUnknownApplication(
  merged: MergedOperators,
  { origin, issuer, clientId }: WantedApplication,
): string {
  const operator = merged.operators.find(({ profile }) => profile.issuer === issuer)?.profile
  if (!operator) return explainUnknownIssuer(merged, issuer)
  const { name, applications = [], onboarding = 'preregistered' } = operator
  const here = applications.filter(({ origins }) => origins.includes(origin))
  if (clientId !== undefined && (here.length > 0 || onboarding !== 'preregistered')) {
    return here.length > 0
      ? `no application of ${name} at this origin has the clientId of the call; ${list(here.map((application) => application.clientId))} has the origin`
      : `${name} registers a client for this origin, and it is not the clientId of the call`
  }
  const origins = applications.flatMap((application) => application.origins)
  if (origins.length === 0) return `${name} has no application`
  return `no application of ${name} has the origin ${origin}; there are ${list(origins)}`
}

/** Finds the rejected profile that would have had an application for the origin. */
export function findRejectedApplication(
  { rejected }: MergedOperators,
  { origin, issuer }: WantedApplication,
): RejectedOperator | undefined {
  return rejected.find((profile) => profile.issuer === issuer && profile.origins.includes(origin))
}
