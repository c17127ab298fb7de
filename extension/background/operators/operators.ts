/**
 * Manages the operator profiles of the broker. They come from browser policy, from files that the user
 * imported, and, only in a development build, from the demonstration. A page selects an operator by its
 * issuer; it can never add an operator. An imported operator is added only after the user has confirmed its servers
 * and the browser has given the permission for each of them. Imported profiles are in IndexedDB and not in `storage.local`:
 * content scripts share a process with pages, and can reach `storage.local` in Firefox.
 */

import { del, set, values } from 'idb-keyval'
import browser from 'webextension-polyfill'
import { isNorthkeyError, redirectUriFor } from '../../../shared/core/index.ts'
import type {
  OperatorApi,
  OperatorApplication,
  OperatorProfile,
} from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess, ApiRequest } from '../../../shared/messages/page-api.ts'
import type {
  AcceptedOperator,
  KnownOperator,
  OperatorCheck,
  OperatorDiscovery,
  OperatorList,
  RedirectUris,
  ServerAdditions,
  UnnamedServers,
} from '../../../shared/messages/screen-channel.ts'
import { scopeWords } from '../../../shared/oauth/scope.ts'
import { REDIRECT_BASE } from '../../identity.ts'
import { recordLogEntry } from '../platform/log.ts'
import { memoize } from '../platform/memoize.ts'
import { bumpStateVersion } from '../platform/state-version.ts'
import { openStore } from '../platform/stores.ts'
import { listHostPermissions } from './host-permissions.ts'
import {
  describeTakenIssuer,
  findSameIssuer,
  type MergedOperators,
} from './merge-operator-profiles.ts'
import { mergeOperatorsWithCache, type UncheckedProfiles } from './operator-cache.ts'
import { discoverUnnamedServers } from './operator-discovery.ts'
import { checkProfile, readProfile } from './operator-profile-check.ts'
import { addServers, getServerOrigins, getSignInOrigin, listServers } from './operator-servers.ts'
import { listChanges } from './profile-changes.ts'
import { readUnnamedServers } from './unnamed-servers.ts'

/**
 * File beside the manifest of a development build, written by `npm start` and by tests
 * (`scripts/extension-copy.ts`).
 */
const DEMO_OPERATORS = 'demo-operators.json'

const importedProfiles = openStore('operators')

/** Merges once, until profiles or policy change. */
export const getMergedOperators = memoize(
  (): Promise<MergedOperators> => mergeOperatorsWithCache(readSources(), __DEVELOPMENT__),
)

function forgetMerged(): void {
  getMergedOperators.reset()
  bumpStateVersion()
}

const listeners = new Set<() => void>()

/** @param listener Called after a change of the operators: what they offer may be less than before. */
export function onOperatorsChanged(listener: () => void): void {
  listeners.add(listener)
}

function invalidateCache(): void {
  forgetMerged()
  for (const listener of listeners) listener()
}

/** Logs what a policy has brought: an administrator's mistake must leave a trace. */
async function logPolicy(): Promise<void> {
  const { operators, rejected } = await getMergedOperators()
  const count = (list: { source: string }[]) =>
    list.filter(({ source }) => source === 'policy').length
  const outcome = `policy: ${count(operators)} operators, ${count(rejected)} rejected`
  recordLogEntry('operator', outcome, {})
}

// The policy may change while the browser runs.
browser.storage.onChanged.addListener((_, area) => {
  if (area !== 'managed') return
  invalidateCache()
  void logPolicy()
})

/** Keys of the policy: a list of profiles, and a list of the texts of profile files. */
const POLICY_KEYS = ['operators', 'operatorFiles'] as const

/** Reads the values of the policy by key, as far as they are there. */
async function readPolicyValues(): Promise<{ key: string; value: unknown }[]> {
  const reads = POLICY_KEYS.map(async (key) => {
    try {
      // Firefox throws when no policy exists for this extension.
      return { key, value: (await browser.storage.managed.get(key))[key] as unknown }
    } catch {
      return { key, value: undefined }
    }
  })
  return (await Promise.all(reads)).filter(({ value }) => value !== undefined)
}

/** The entries of all keys. A value that is no list is an entry of its own, which is rejected. */
async function readPolicy(): Promise<unknown> {
  const values = (await readPolicyValues()).map(({ value }) => value)
  const [only] = values
  return values.length === 1 ? only : values.flat()
}

async function readDemo(): Promise<unknown> {
  if (!__DEVELOPMENT__) return []
  try {
    const response = await fetch(browser.runtime.getURL(DEMO_OPERATORS))
    return await response.json()
  } catch {
    return []
  }
}

async function readSources(): Promise<UncheckedProfiles> {
  const [policy, file, demo] = await Promise.all([
    readPolicy(),
    values<OperatorProfile>(importedProfiles).catch(() => {
      // Without this database the other sources still work. The next call reads it again.
      forgetMerged()
      return []
    }),
    readDemo(),
  ])
  return { policy, file, demo }
}

export async function listOperators(): Promise<OperatorProfile[]> {
  return (await getMergedOperators()).operators.map(({ profile }) => profile)
}

/** Lists the match patterns of a profile's servers for which the browser has given no permission. */
async function listMissingPermissions(profile: OperatorProfile): Promise<string[]> {
  const missing = []
  for (const origin of listHostPermissions(profile)) {
    if (!(await browser.permissions.contains({ origins: [origin] }))) missing.push(origin)
  }
  return missing
}

/** Describes the remembered servers that the profile does not name, unless it names them by now. */
function describeUnnamed(
  profile: OperatorProfile,
  additions: ServerAdditions | undefined,
): UnnamedServers | undefined {
  if (!additions) return undefined
  const extended = addServers(profile, additions)
  const isNamed =
    getServerOrigins(extended).size === getServerOrigins(profile).size &&
    getSignInOrigin(extended) === getSignInOrigin(profile)
  return isNamed ? undefined : { additions, permissions: listHostPermissions(extended) }
}

/**
 * Lists the operators where their absence from the list has an effect.
 *
 * @throws Error if the imported profiles cannot be read for the moment.
 */
export async function listReadableOperators(): Promise<OperatorProfile[]> {
  await values(importedProfiles)
  return listOperators()
}

/**
 * Lists the operators for the broker's own screens, with their sources, and the rejected profiles with
 * reasons.
 */
export async function describeOperators(): Promise<OperatorList> {
  const [{ operators, rejected }, remembered, policy] = await Promise.all([
    getMergedOperators(),
    readUnnamedServers(),
    readPolicyValues(),
  ])
  const described = operators.map(async ({ profile, source }): Promise<KnownOperator> => {
    const unnamed = describeUnnamed(profile, remembered[profile.issuer])
    return {
      ...describeAccepted(profile),
      source,
      redirectUris: await computeRedirectUris(profile.issuer),
      unreachable: await listMissingPermissions(profile),
      ...(unnamed && { unnamed }),
    }
  })
  return {
    operators: await Promise.all(described),
    rejected,
    policy: policy.map(({ key, value }) => ({
      key,
      ...(Array.isArray(value) && { profiles: value.length }),
    })),
  }
}

async function computeRedirectUris(issuer: string): Promise<RedirectUris> {
  const [chromium, firefox] = await Promise.all([
    redirectUriFor(REDIRECT_BASE.chromium, issuer),
    redirectUriFor(REDIRECT_BASE.firefox, issuer),
  ])
  return { chromium, firefox }
}

const describeAccepted = (profile: OperatorProfile): AcceptedOperator => ({
  profile,
  servers: listServers(profile),
  permissions: listHostPermissions(profile),
})

/** Checks the text of a file, without an import. */
export async function checkOperator(text: string): Promise<OperatorCheck> {
  const { profile, reasons } = readProfile(text, __DEVELOPMENT__)
  if (!profile) return { reasons }
  const { operators } = await getMergedOperators()
  const profiles = operators.map((operator) => operator.profile)
  const sameIssuer = findSameIssuer(profiles, profile.issuer)
  if (!sameIssuer) return describeAccepted(profile)
  const source = operators.find((operator) => operator.profile === sameIssuer)?.source
  // An issuer that only looks the same is another operator. A profile of the policy is the administrator's.
  if (sameIssuer.issuer !== profile.issuer || source === undefined || source === 'policy') {
    const isRemovable = source !== undefined && source !== 'policy'
    const advice = isRemovable ? '; remove that operator first' : ''
    return { reasons: [describeTakenIssuer(sameIssuer, advice)] }
  }
  const changes = listChanges(sameIssuer, profile)
  const replaces = { profile: sameIssuer, source, changes, endingOrigins: [] }
  return { ...describeAccepted(profile), replaces }
}

/**
 * Reads the operator's metadata and adds the servers that they name to the profile, without an import. Metadata
 * that cannot be read are no error: the broker checks them again before each use. A server that states another issuer
 * is one: a flow with this profile could never end well.
 */
export async function discoverOperator(text: string): Promise<OperatorDiscovery> {
  const check = await checkOperator(text)
  if (!check.profile) return check
  let additions: ServerAdditions | undefined
  try {
    additions = await discoverUnnamedServers(check.profile)
  } catch (error) {
    if (!isNorthkeyError(error)) throw error
    const { code, message } = error
    if (code === 'issuer_mismatch') return { reasons: [`issuer: ${message}`] }
    return { ...check, undiscovered: message }
  }
  if (!additions) return check
  return checkOperator(JSON.stringify(addServers(check.profile, additions)))
}

/**
 * Stores a profile whose servers the user has confirmed, if the browser has given the permission for each of them.
 */
async function storeConfirmed(
  accepted: AcceptedOperator,
  outcome: string,
  prepare: () => Promise<void> = async () => {},
): Promise<OperatorCheck> {
  const { profile } = accepted
  const missing = await listMissingPermissions(profile)
  if (missing.length > 0) {
    return { reasons: [`permission: expected the browser's for ${missing.join(', ')}`] }
  }
  await prepare()
  await set(profile.issuer, profile, importedProfiles)
  invalidateCache()
  recordLogEntry('operator', outcome, { issuer: profile.issuer })
  return accepted
}

/** Ends what a replacement concerns. It runs while the replaced profile is still the one in use. */
export type EndReplaced = (before: OperatorProfile, after: OperatorProfile) => Promise<void>

/**
 * Imports a profile. The user has seen all of its servers and confirmed them.
 *
 * @param replacing The profile that the user has seen as the replaced one.
 */
export async function addOperator(
  text: string,
  replacing?: OperatorProfile,
  endReplaced: EndReplaced = async () => {},
): Promise<OperatorCheck> {
  const check = await checkOperator(text)
  if (!check.profile) return check
  const replaced = check.replaces?.profile
  if (!replaced) return storeConfirmed(check, 'imported')
  // A JSON text has the same order of members: the screen got this very profile.
  if (JSON.stringify(replaced) !== JSON.stringify(replacing)) {
    return { reasons: [describeTakenIssuer(replaced)] }
  }
  return storeConfirmed(check, 'replaced', () => endReplaced(replaced, check.profile))
}

/** Adds servers that the user has confirmed to an imported profile. */
export async function addConfirmedServers(
  issuer: string,
  additions: ServerAdditions,
): Promise<OperatorCheck> {
  const { operators } = await getMergedOperators()
  const operator = operators.find(({ profile }) => profile.issuer === issuer)
  if (operator?.source !== 'file') {
    return { reasons: ['issuer: expected an operator that was imported from a file'] }
  }
  const check = checkProfile(addServers(operator.profile, additions), __DEVELOPMENT__)
  return check.profile ? storeConfirmed(describeAccepted(check.profile), 'changed') : check
}

export async function removeOperator(issuer: string): Promise<void> {
  await del(issuer, importedProfiles)
  invalidateCache()
  recordLogEntry('operator', 'removed', { issuer })
}

export async function findOperator(issuer: string): Promise<OperatorProfile | undefined> {
  const { operators } = await getMergedOperators()
  return operators.find(({ profile }) => profile.issuer === issuer)?.profile
}

/** Finds the application that an origin may act as. A client identifier is valid for its own origins only. */
export function findApplication(
  operator: OperatorProfile,
  origin: string,
  clientId: string | undefined,
): OperatorApplication | undefined {
  return operator.applications?.find(
    (application) =>
      application.origins.includes(origin) &&
      (clientId === undefined || application.clientId === clientId),
  )
}

/**
 * Finds the API with exactly this resource, if it offers every word of the scope. An API without scopes is requested
 * without scope, and no other API is.
 */
export function findApi(
  { apis }: Pick<OperatorProfile, 'apis'>,
  resource: string,
  scope: string,
): OperatorApi | undefined {
  const api = apis.find((candidate) => candidate.resource === resource)
  const words = scopeWords(scope)
  if (!api || (words.length === 0) !== (api.scopes.length === 0)) return undefined
  return words.every((word) => api.scopes.some((entry) => entry.scope === word)) ? api : undefined
}

/**
 * The access of a grant as a request names it. A grant of an API without scopes has the scope that the server stated,
 * which no request names. @see RFC 6749 section 3.3
 */
export function toApiRequest(
  { apis }: Pick<OperatorProfile, 'apis'>,
  access: ApiAccess,
): ApiRequest {
  const api = apis.find(({ resource }) => resource === access.resource)
  if (api?.scopes.length !== 0) return access
  const { scope: _, ...request } = access
  return request
}
