/**
 * Manages the operator profiles of the broker. They come from browser policy, from files that the user
 * imported, and, only in a development build, from the demonstration. A page selects an operator by its
 * issuer; it can never add an operator. Imported profiles are in IndexedDB and not in `storage.local`:
 * content scripts share a process with pages, and can reach `storage.local` in Firefox.
 */

import { del, set, values } from 'idb-keyval'
import browser from 'webextension-polyfill'
import type {
  OperatorApi,
  OperatorApplication,
  OperatorProfile,
} from '../../../shared/messages/operator-profile.ts'
import type {
  KnownOperator,
  OperatorCheck,
  OperatorList,
} from '../../../shared/messages/screen-channel.ts'
import { recordLogEntry } from '../platform/log.ts'
import { memoize } from '../platform/memoize.ts'
import { bumpStateVersion } from '../platform/state-version.ts'
import { openStore } from '../platform/stores.ts'
import { listHostPermissions } from './host-permissions.ts'
import { describeTakenIssuer, type MergedOperators } from './merge-operator-profiles.ts'
import { mergeOperatorsWithCache, type UncheckedProfiles } from './operator-cache.ts'
import { readProfile } from './operator-profile-check.ts'

/**
 * File beside the manifest of a development build, written by `npm start` and by tests
 * (`scripts/extension-copy.ts`).
 */
const DEMO_OPERATORS = 'demo-operators.json'

const importedProfiles = openStore('operators')

/** Merges once, until profiles or policy change. */
const getMergedOperators = memoize(
  (): Promise<MergedOperators> => mergeOperatorsWithCache(readSources(), __DEVELOPMENT__),
)

function invalidateCache(): void {
  getMergedOperators.reset()
  bumpStateVersion()
}

// The policy may change while the browser runs.
browser.storage.onChanged.addListener((_, area) => {
  if (area === 'managed') invalidateCache()
})

async function readPolicy(): Promise<unknown> {
  try {
    // Firefox throws when no policy exists for this extension.
    return (await browser.storage.managed.get('operators')).operators ?? []
  } catch {
    return []
  }
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
      invalidateCache()
      return []
    }),
    readDemo(),
  ])
  return { policy, file, demo }
}

export async function listOperators(): Promise<OperatorProfile[]> {
  return (await getMergedOperators()).operators.map(({ profile }) => profile)
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
  const { operators, rejected } = await getMergedOperators()
  const described = operators.map(async ({ profile, source }): Promise<KnownOperator> => {
    const unreachable = []
    for (const origin of listHostPermissions(profile)) {
      if (!(await browser.permissions.contains({ origins: [origin] }))) unreachable.push(origin)
    }
    return { profile, source, unreachable }
  })
  return { operators: await Promise.all(described), rejected }
}

/** Checks the text of a file, without an import. */
export async function checkOperator(text: string): Promise<OperatorCheck> {
  const { profile, reasons } = readProfile(text, __DEVELOPMENT__)
  if (!profile) return { reasons }
  const sameIssuer = await findOperator(profile.issuer)
  if (sameIssuer) return { reasons: [describeTakenIssuer(sameIssuer.name)] }
  return { profile, permissions: listHostPermissions(profile) }
}

/** Imports a profile. The user has seen the result of `checkOperator` and confirmed it. */
export async function addOperator(text: string): Promise<OperatorCheck> {
  const check = await checkOperator(text)
  if (check.profile) {
    await set(check.profile.issuer, check.profile, importedProfiles)
    invalidateCache()
    recordLogEntry('operator', 'imported', { issuer: check.profile.issuer })
  }
  return check
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

/** Finds the API with exactly this resource, if it offers every word of the scope. */
export function findApi(
  operator: OperatorProfile,
  resource: string,
  scope: string,
): OperatorApi | undefined {
  const api = operator.apis.find((candidate) => candidate.resource === resource)
  const isOffered = (word: string) => api?.scopes.some((entry) => entry.scope === word)
  return scope.split(' ').every(isOffered) ? api : undefined
}
