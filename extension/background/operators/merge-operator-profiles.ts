/**
 * Which of the profiles at hand are used. Policy comes before a file, a file before the demonstration;
 * no issuer is there twice; what is refused says why. Pure.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { OperatorSource, RejectedOperator } from '../../../shared/messages/screen-channel.ts'
import { checkProfile, type ProfileCheck } from './operator-profile-check.ts'

export interface MergedOperators {
  operators: { profile: OperatorProfile; source: OperatorSource }[]
  rejected: RejectedOperator[]
}

const SOURCES: readonly OperatorSource[] = ['policy', 'file', 'demo']

/** What the user is told it is, though it is not what it should be. */
function nameOf(value: unknown, index: number): string {
  const { name, issuer } = (value ?? {}) as Partial<Record<string, unknown>>
  for (const text of [name, issuer]) {
    if (typeof text === 'string' && text !== '') return text.slice(0, 80)
  }
  return `Profile ${index + 1}`
}

function checkUnique(
  value: unknown,
  { operators }: MergedOperators,
  development: boolean,
): ProfileCheck {
  const check = checkProfile(value, development)
  const taken = operators.find(({ profile }) => profile.issuer === check.profile?.issuer)
  return taken ? { reasons: [describeTakenIssuer(taken.profile.name)] } : check
}

export const describeTakenIssuer = (name: string) =>
  `issuer: expected one that no other profile has; "${name}" has it`

/** @param given By source, what was found there: a list, if all is well. */
export function mergeOperatorProfiles(
  given: Record<OperatorSource, unknown>,
  development: boolean,
): MergedOperators {
  const selection: MergedOperators = { operators: [], rejected: [] }
  for (const source of SOURCES) {
    const list = given[source]
    if (!Array.isArray(list)) {
      const reasons = ['operators: expected a list of profiles']
      selection.rejected.push({ source, name: 'All profiles', reasons })
      continue
    }
    list.forEach((value: unknown, index) => {
      const { profile, reasons } = checkUnique(value, selection, development)
      if (profile) selection.operators.push({ profile, source })
      else selection.rejected.push({ source, name: nameOf(value, index), reasons })
    })
  }
  return selection
}
