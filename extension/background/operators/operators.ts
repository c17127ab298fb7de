/**
 * The operators that this broker knows: from browser policy, from files that the user imported, and,
 * in a development build alone, from the demonstration. A page names one by its issuer; it can never
 * add one. What is imported lies in IndexedDB: content scripts, which share a process with pages, can
 * reach `storage.local` in Firefox.
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

/** Written beside the manifest by whoever starts the demo; a released build has none. */
const DEMO_OPERATORS = 'demo-operators.json'

const imported = openStore('operators')

/** Judged once, until profiles or policy change. */
const mergedOperators = memoize(
  (): Promise<MergedOperators> => mergeOperatorsWithCache(readAll(), __DEVELOPMENT__),
)

function invalidate(): void {
  mergedOperators.reset()
  bumpStateVersion()
}

// Policy may change while the browser runs.
browser.storage.onChanged.addListener((_, area) => {
  if (area === 'managed') invalidate()
})

async function readPolicy(): Promise<unknown> {
  try {
    // Firefox refuses where no policy speaks of this extension.
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

async function readAll(): Promise<UncheckedProfiles> {
  const [policy, file, demo] = await Promise.all([
    readPolicy(),
    values<OperatorProfile>(imported).catch(() => {
      // Without its database the broker still knows the others; it looks again when asked again.
      invalidate()
      return []
    }),
    readDemo(),
  ])
  return { policy, file, demo }
}

export async function listOperators(): Promise<OperatorProfile[]> {
  return (await mergedOperators()).operators.map(({ profile }) => profile)
}

/** For the broker's own screens: with where each comes from, and with the profiles that were rejected, and the reasons. */
export async function describeOperators(): Promise<OperatorList> {
  const { operators, rejected } = await mergedOperators()
  const described = operators.map(async ({ profile, source }): Promise<KnownOperator> => {
    const unreachable = []
    for (const origin of listHostPermissions(profile)) {
      if (!(await browser.permissions.contains({ origins: [origin] }))) unreachable.push(origin)
    }
    return { profile, source, unreachable }
  })
  return { operators: await Promise.all(described), rejected }
}

/** Judges a file's text. Nothing is changed. */
export async function checkOperator(text: string): Promise<OperatorCheck> {
  const { profile, reasons } = readProfile(text, __DEVELOPMENT__)
  if (!profile) return { reasons }
  const taken = await findOperator(profile.issuer)
  if (taken) return { reasons: [describeTakenIssuer(taken.name)] }
  return { profile, permissions: listHostPermissions(profile) }
}

/** The user has seen what `checkOperator` said, and confirmed. */
export async function addOperator(text: string): Promise<OperatorCheck> {
  const check = await checkOperator(text)
  if (check.profile) {
    await set(check.profile.issuer, check.profile, imported)
    invalidate()
    recordLogEntry('operator', 'imported', { issuer: check.profile.issuer })
  }
  return check
}

export async function removeOperator(issuer: string): Promise<void> {
  await del(issuer, imported)
  invalidate()
  recordLogEntry('operator', 'removed', { issuer })
}

export async function findOperator(issuer: string): Promise<OperatorProfile | undefined> {
  const { operators } = await mergedOperators()
  return operators.find(({ profile }) => profile.issuer === issuer)?.profile
}

/** The application that an origin may act as: a client identifier works for its own origins only. */
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

/** The API at exactly this resource, if the operator has it with every scope asked for. */
export function findApi(
  operator: OperatorProfile,
  resource: string,
  scope: string,
): OperatorApi | undefined {
  const api = operator.apis.find((candidate) => candidate.resource === resource)
  const offers = (word: string) => api?.scopes.some((entry) => entry.scope === word)
  return scope.split(' ').every(offers) ? api : undefined
}
