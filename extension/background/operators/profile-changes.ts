/**
 * Compares two profiles of one operator: what the user reads before a file replaces a profile, and which grants the
 * change concerns. A grant that nothing of the change concerns stays.
 *
 * Names and descriptions are for readers: they change no grant. Nor do the members that say what later requests contain:
 * the servers and what the user has allowed stay the same. Any other member of the operator as a whole (its servers,
 * its metadata, its client authentication, …) concerns each grant, since tokens would go to other servers or be sent
 * in another way. Pure.
 */

import type { OperatorApi, OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { Grant } from '../../../shared/messages/page-api.ts'
import type { ProfileChange } from '../../../shared/messages/screen-channel.ts'
import { listServers } from './operator-servers.ts'

/** The members of a grant that a profile may concern. */
export type ConcernedGrant = Pick<Grant, 'clientId' | 'mode' | 'apis'> & { origin: string }

/** Members that concern single grants. */
const SINGLE: readonly string[] = ['modes', 'apis', 'applications']

/** Members for readers, and those that change what later requests say to the same servers: they concern no grant. */
const NONE: readonly string[] = ['name', 'offlineAccess', 'resourceIndicators', 'assertionAudience']

/** All other members concern every grant. */
const concernsAll = (member: string) => !SINGLE.includes(member) && !NONE.includes(member)

/** Sorts members, so that two values with the same members are the same text. */
const toText = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? ''

const isSame = (first: unknown, second: unknown) => toText(first) === toText(second)

/** Lists the members that differ. */
function listChangedMembers(before: object, after: object): string[] {
  const former = before as Record<string, unknown>
  const later = after as Record<string, unknown>
  const names = new Set([...Object.keys(former), ...Object.keys(later)])
  return [...names].filter((name) => !isSame(former[name], later[name]))
}

interface Named<T> {
  key: string
  name: string
  value: T
}

/** Compares two lists of objects by their keys. */
function compareLists<T extends object>(
  subject: ProfileChange['subject'],
  before: Named<T>[],
  after: Named<T>[],
): ProfileChange[] {
  const changes: ProfileChange[] = []
  for (const { key, name, value } of before) {
    const later = after.find((candidate) => candidate.key === key)
    const members = later ? listChangedMembers(value, later.value) : []
    if (!later) changes.push({ subject, kind: 'removed', name })
    else if (members.length > 0) changes.push({ subject, kind: 'changed', name, members })
  }
  const added = after.filter(({ key }) => !before.some((candidate) => candidate.key === key))
  return [...changes, ...added.map(({ name }): ProfileChange => ({ subject, kind: 'added', name }))]
}

const nameServers = (profile: OperatorProfile) =>
  listServers(profile).map(({ origin, uses }) => ({ key: origin, name: origin, value: { uses } }))

const nameApis = ({ apis }: OperatorProfile) =>
  apis.map((value) => ({ key: value.resource, name: `${value.name} (${value.resource})`, value }))

const nameApplications = ({ applications = [] }: OperatorProfile) =>
  applications.map((value) => ({ key: value.clientId, name: value.name, value }))

/** Lists what a profile changes in another profile of the same issuer. */
export function listChanges(before: OperatorProfile, after: OperatorProfile): ProfileChange[] {
  const members = listChangedMembers(before, after).filter(
    (name) => name !== 'apis' && name !== 'applications',
  )
  return [
    ...compareLists('server', nameServers(before), nameServers(after)),
    ...compareLists('api', nameApis(before), nameApis(after)),
    ...compareLists('application', nameApplications(before), nameApplications(after)),
    ...members.map((name): ProfileChange => ({ subject: 'member', kind: 'changed', name })),
  ]
}

/** The part of an API that decides how calls are made. */
function getCallRules({ methods, tokenUse }: OperatorApi): object {
  return { methods: methods && [...methods].sort(), tokenUse }
}

function changesApi(
  before: OperatorProfile,
  after: OperatorProfile,
  { resource, scope, purpose }: Grant['apis'][number],
): boolean {
  const find = ({ apis }: OperatorProfile) => apis.find((api) => api.resource === resource)
  const former = find(before)
  const later = find(after)
  if (!former || !later || !isSame(getCallRules(former), getCallRules(later))) return true
  const offered = later.scopes.map((entry) => entry.scope)
  // A grant of an API without scopes has what the server stated, which no profile lists.
  if ((former.scopes.length === 0) !== (offered.length === 0)) return true
  const isOffered = offered.length === 0 || scope.split(' ').every((word) => offered.includes(word))
  return !isOffered || (purpose !== undefined && later.purposes?.includes(purpose) === false)
}

/** Tells whether the replacement of a profile concerns a grant. */
export function changesGrant(
  before: OperatorProfile,
  after: OperatorProfile,
  { origin, clientId, mode, apis }: ConcernedGrant,
): boolean {
  if (listChangedMembers(before, after).some(concernsAll)) return true
  if (after.modes?.includes(mode) === false) return true
  const hasApplication = ({ applications = [] }: OperatorProfile) =>
    applications.some(
      (application) => application.clientId === clientId && application.origins.includes(origin),
    )
  if (hasApplication(before) && !hasApplication(after)) return true
  return apis.some((api) => changesApi(before, after, api))
}
