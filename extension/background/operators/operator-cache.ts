/**
 * Which operators are used, judged once in a browser session. To judge profiles takes longer than all
 * else that a worker does before its first answer; what the worker before it found is still right while
 * the profiles are the same. It lies in `storage.session`: an update of the extension, which may judge
 * otherwise, ends it.
 */

import browser from 'webextension-polyfill'
import { type MergedOperators, mergeOperatorProfiles } from './merge-operator-profiles.ts'

const JUDGED = 'judgedOperators'
/** `storage.session` has room for 10 MB, and others need it, too. */
const MAX_LENGTH = 1_000_000

export type UncheckedProfiles = Parameters<typeof mergeOperatorProfiles>[0]

interface Judged {
  /** What was judged, as JSON. */
  given: string
  selected: MergedOperators
}

async function readJudged(): Promise<Judged | undefined> {
  try {
    return (await browser.storage.session.get(JUDGED))[JUDGED] as Judged | undefined
  } catch {
    return undefined
  }
}

/** @param reading Resolves to what was found, by source. */
export async function mergeOperatorsWithCache(
  reading: Promise<UncheckedProfiles>,
  development: boolean,
): Promise<MergedOperators> {
  const [found, judged] = await Promise.all([reading, readJudged()])
  const given = JSON.stringify(found)
  if (judged?.given === given) return judged.selected
  const selected = mergeOperatorProfiles(found, development)
  if (given.length <= MAX_LENGTH) {
    // Where there is no room for it, the next worker judges again.
    browser.storage.session.set({ [JUDGED]: { given, selected } }).catch(() => {})
  }
  return selected
}
