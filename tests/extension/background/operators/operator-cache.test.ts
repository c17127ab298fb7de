/**
 * Operators that were judged in this browser session are not judged again by the next worker.
 *
 * Seen to fail when: nothing is kept, what is kept counts for other profiles, and a session that cannot
 * be read or written takes the operators along.
 */

import fake, { storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import * as selection from '../../../../extension/background/operators/merge-operator-profiles.ts'
import {
  mergeOperatorsWithCache,
  type UncheckedProfiles,
} from '../../../../extension/background/operators/operator-cache.ts'
import { OPERATOR } from '../../support/records.ts'

let judging: MockInstance<typeof selection.mergeOperatorProfiles>
const GIVEN = { policy: [], file: [OPERATOR], demo: [{ ...OPERATOR, issuer: 1 }] }

const judge = (given: UncheckedProfiles = GIVEN) =>
  mergeOperatorsWithCache(Promise.resolve(given), false)
const settled = () => new Promise((resolve) => setTimeout(resolve, 10))

beforeEach(() => {
  judging = vi.spyOn(selection, 'mergeOperatorProfiles')
})
afterEach(async () => {
  vi.restoreAllMocks()
  await storage.session.clear()
})

test('the same profiles are judged once, with what was refused and why', async () => {
  const first = await judge()
  expect(first.operators).toEqual([{ profile: OPERATOR, source: 'file' }])
  expect(first.rejected).toHaveLength(1)
  await settled()
  expect(await judge()).toEqual(first)
  expect(judging).toHaveBeenCalledTimes(1)
})

test.each([
  ['another profile', { ...GIVEN, file: [{ ...OPERATOR, name: 'Another' }] }],
  ['the same profile from elsewhere', { ...GIVEN, policy: [OPERATOR], file: [] }],
  ['none', { ...GIVEN, file: [] }],
])('%s is judged anew', async (_, given) => {
  await judge()
  await settled()
  const { operators } = await judge(given)
  expect(judging).toHaveBeenCalledTimes(2)
  expect(operators.map(({ profile }) => profile)).toEqual([...given.policy, ...given.file])
})

test('the operators are known where the session can be neither read nor written', async () => {
  const { get, set } = storage.session
  // No spies: they would take a rejection that nobody else takes.
  const fail = async () => {
    throw new Error('no session')
  }
  Object.assign(storage.session, { get: fail, set: fail })
  try {
    expect((await judge()).operators).toHaveLength(1)
    await settled()
  } finally {
    Object.assign(storage.session, { get, set })
  }
})

test('what is too large for the session is judged each time', async () => {
  const many = { ...GIVEN, file: [OPERATOR, 'x'.repeat(1_000_000)] }
  for (const _ of [1, 2]) {
    expect((await judge(many)).operators).toHaveLength(1)
    await settled()
  }
  expect(judging).toHaveBeenCalledTimes(2)
})

test('what cannot be read is told, and read again', async () => {
  await expect(mergeOperatorsWithCache(Promise.reject(new Error('gone')), false)).rejects.toThrow(
    'gone',
  )
  expect((await judge()).operators).toHaveLength(1)
})
