/**
 * Merges the operator profiles of all sources into the list that the broker uses. Policy takes precedence
 * over imported files, and files over the demonstration. The first profile of an issuer wins, also over an issuer
 * that only looks the same. A rejected profile is returned with the reasons. Pure.
 */

import {
  MAX_PROFILE_BYTES,
  type OperatorProfile,
} from '../../../shared/messages/operator-profile.ts'
import type { OperatorSource, RejectedOperator } from '../../../shared/messages/screen-channel.ts'
import { toComparableUrl } from '../../../shared/oauth/url-spelling.ts'
import { checkProfile, type ProfileCheck, readProfile } from './operator-profile-check.ts'

export interface MergedOperators {
  operators: { profile: OperatorProfile; source: OperatorSource }[]
  rejected: RejectedOperator[]
}

const SOURCES: readonly OperatorSource[] = ['policy', 'file', 'demo']

/** Returns a name for a rejected profile, as far as it can be read from the value. */
function getDisplayName(value: unknown, index: number): string {
  const { name, issuer } = (value ?? {}) as Partial<Record<string, unknown>>
  for (const text of [name, issuer]) {
    if (typeof text === 'string' && text !== '') return text.slice(0, 80)
  }
  return `Profile ${index + 1}`
}

/** Parses an entry that is the text of a file, as far as it can be parsed. */
function toValue(entry: unknown): unknown {
  if (typeof entry !== 'string' || entry.length > MAX_PROFILE_BYTES) return entry
  try {
    return JSON.parse(entry)
  } catch {
    return entry
  }
}

const toStrings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** Describes a rejected profile, as far as it can be read from the value. */
function describeRejected(
  source: OperatorSource,
  value: unknown,
  index: number,
  reasons: string[],
): RejectedOperator {
  const { issuer, applications } = (value ?? {}) as Partial<Record<string, unknown>>
  const origins = (Array.isArray(applications) ? applications : []).flatMap((application) =>
    toStrings((application as { origins?: unknown } | null)?.origins),
  )
  return {
    source,
    name: getDisplayName(value, index),
    ...(typeof issuer === 'string' && { issuer }),
    origins,
    reasons,
  }
}

/**
 * Finds the profile whose issuer is equal, or looks equal to a reader: it differs in slashes at the end, or in
 * capitals of the path.
 */
export function findSameIssuer<T extends { issuer: string }>(
  profiles: readonly T[],
  issuer: string,
): T | undefined {
  const comparable = toComparableUrl(issuer)
  return profiles.find((profile) => toComparableUrl(profile.issuer) === comparable)
}

/** Checks a profile, and that no accepted profile has its issuer. */
function checkUnique(
  entry: unknown,
  { operators }: MergedOperators,
  development: boolean,
): ProfileCheck {
  const check =
    typeof entry === 'string' ? readProfile(entry, development) : checkProfile(entry, development)
  if (!check.profile) return check
  const accepted = operators.map(({ profile }) => profile)
  const sameIssuer = findSameIssuer(accepted, check.profile.issuer)
  return sameIssuer ? { reasons: [describeTakenIssuer(sameIssuer)] } : check
}

/**
 * @param taken The profile that has the issuer already, perhaps in another spelling.
 * @param advice What a person can do about it.
 */
export const describeTakenIssuer = ({ name, issuer }: OperatorProfile, advice = '') =>
  `issuer: expected one that no other profile has; "${name}" has it, spelled ${issuer}${advice}`

/**
 * @param profiles Unchecked profiles by source: objects, or the texts of profile files. A source that is no list is
 * rejected.
 * @param development Whether http on loopback is allowed.
 */
export function mergeOperatorProfiles(
  profiles: Record<OperatorSource, unknown>,
  development: boolean,
): MergedOperators {
  const merged: MergedOperators = { operators: [], rejected: [] }
  for (const source of SOURCES) {
    const list = profiles[source]
    if (!Array.isArray(list)) {
      const reasons = ['operators: expected a list of profiles']
      merged.rejected.push({ source, name: 'All profiles', origins: [], reasons })
      continue
    }
    list.forEach((value: unknown, index) => {
      const { profile, reasons } = checkUnique(value, merged, development)
      if (profile) merged.operators.push({ profile, source })
      else merged.rejected.push(describeRejected(source, toValue(value), index, reasons))
    })
  }
  return merged
}
