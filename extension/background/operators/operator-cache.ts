/**
 * Caches the merged operator profiles for one browser session. The check of the profiles takes longer than
 * everything else that a worker does before its first answer. The result of an earlier worker stays valid
 * as long as the unchecked profiles are equal. The cache is in `storage.session`, which an update of the
 * extension clears: a new version may check differently.
 */

import browser from 'webextension-polyfill'
import { type MergedOperators, mergeOperatorProfiles } from './merge-operator-profiles.ts'

const CACHE_KEY = 'judgedOperators'
/** In characters. `storage.session` has 10 MB for the whole extension. */
const MAX_LENGTH = 1_000_000

/** Unchecked profiles by source. */
export type UncheckedProfiles = Parameters<typeof mergeOperatorProfiles>[0]

interface CachedOperators {
  /** The unchecked profiles, as JSON. */
  profiles: string
  merged: MergedOperators
}

async function readCache(): Promise<CachedOperators | undefined> {
  try {
    return (await browser.storage.session.get(CACHE_KEY))[CACHE_KEY] as CachedOperators | undefined
  } catch {
    return undefined
  }
}

/** @returns The unchecked profiles as JSON; `undefined` if they are nested too deeply for `JSON.stringify`. */
function toJson(unchecked: UncheckedProfiles): string | undefined {
  try {
    return JSON.stringify(unchecked)
  } catch {
    return undefined
  }
}

/**
 * Merges profiles, or returns the cached result when the profiles are equal to those of the cache.
 *
 * @param reading Resolves to the unchecked profiles of all sources.
 * @param development Whether http on loopback is allowed.
 */
export async function mergeOperatorsWithCache(
  reading: Promise<UncheckedProfiles>,
  development: boolean,
): Promise<MergedOperators> {
  const [unchecked, cached] = await Promise.all([reading, readCache()])
  const profiles = toJson(unchecked)
  if (cached && cached.profiles === profiles) return cached.merged
  const merged = mergeOperatorProfiles(unchecked, development)
  if (profiles !== undefined && profiles.length <= MAX_LENGTH) {
    const entry: CachedOperators = { profiles, merged }
    // Without room for the entry the next worker merges again.
    browser.storage.session.set({ [CACHE_KEY]: entry }).catch(() => {})
  }
  return merged
}
