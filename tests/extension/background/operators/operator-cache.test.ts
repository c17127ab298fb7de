/**
 * Tests the cache of merged operator profiles: a later worker of the same browser session does not check
 * them again.
 *
 * Seen to fail when nothing is cached, when the cache is used for other profiles, and when the operators
 * are lost because `storage.session` cannot be read or written, or one profile is nested very deeply (A11k).
 */

import fake, { storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import * as merger from '../../../../extension/background/operators/merge-operator-profiles.ts'
import {
  mergeOperatorsWithCache,
  type UncheckedProfiles,
} from '../../../../extension/background/operators/operator-cache.ts'
import { OPERATOR } from '../../support/records.ts'

let merging: MockInstance<typeof merger.mergeOperatorProfiles>
const PROFILES = { policy: [], file: [OPERATOR], demo: [{ ...OPERATOR, issuer: 1 }] }

const merge = (profiles: UncheckedProfiles = PROFILES) =>
  mergeOperatorsWithCache(Promise.resolve(profiles), false)

/** Waits for the writes of the cache. A further write is the barrier: the area applies writes in their order. */
const waitForWrites = () => storage.session.set({ barrier: true })

beforeEach(() => {
  merging = vi.spyOn(merger, 'mergeOperatorProfiles')
})
afterEach(async () => {
  vi.restoreAllMocks()
  await storage.session.clear()
})

test('equal profiles are checked once, and the rejected profiles are cached with the reasons', async () => {
  const first = await merge()
  expect(first.operators).toEqual([{ profile: OPERATOR, source: 'file' }])
  expect(first.rejected).toHaveLength(1)
  await waitForWrites()
  expect(await merge()).toEqual(first)
  expect(merging).toHaveBeenCalledTimes(1)
})

test.each([
  ['another profile', { ...PROFILES, file: [{ ...OPERATOR, name: 'Another' }] }],
  ['the same profile from another source', { ...PROFILES, policy: [OPERATOR], file: [] }],
  ['an empty list', { ...PROFILES, file: [] }],
])('%s is checked again', async (_, profiles) => {
  await merge()
  await waitForWrites()
  const { operators } = await merge(profiles)
  expect(merging).toHaveBeenCalledTimes(2)
  expect(operators.map(({ profile }) => profile)).toEqual([...profiles.policy, ...profiles.file])
})

test('the operators are available when the session storage can be neither read nor written', async () => {
  const { get, set } = storage.session
  // No spies: a spy would handle a rejection that the broker has to handle.
  const fail = async () => {
    throw new Error('no session')
  }
  Object.assign(storage.session, { get: fail, set: fail })
  try {
    expect((await merge()).operators).toHaveLength(1)
    // Node reports a rejection that nothing handles before it runs the next timer.
    await set({ barrier: true })
  } finally {
    Object.assign(storage.session, { get, set })
  }
})

test('profiles that are too large for the cache are checked each time', async () => {
  const many = { ...PROFILES, file: [OPERATOR, 'x'.repeat(1_000_000)] }
  for (const _ of [1, 2]) {
    expect((await merge(many)).operators).toHaveLength(1)
    await waitForWrites()
  }
  expect(merging).toHaveBeenCalledTimes(2)
})

test('A11k: the other operators are available when a profile of the policy is nested very deeply', async () => {
  const deep: unknown = JSON.parse(`{"metadata":${'{"a":'.repeat(40_000)}0${'}'.repeat(40_001)}`)
  const { operators, rejected } = await merge({ ...PROFILES, policy: [deep] })
  expect(operators).toHaveLength(1)
  expect(rejected[0]?.reasons).toEqual([
    'metadata: expected at most 32 levels of objects and lists',
  ])
})

test('a failed read is an error, and the next call reads again', async () => {
  await expect(mergeOperatorsWithCache(Promise.reject(new Error('gone')), false)).rejects.toThrow(
    'gone',
  )
  expect((await merge()).operators).toHaveLength(1)
})
