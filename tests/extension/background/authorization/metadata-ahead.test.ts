/**
 * Tests when metadata are requested ahead of a first sign-in: an operator must not learn of visits to sites.
 *
 * Seen to fail when an application that asks the user is served, when one of two operators that know the origin is
 * asked, and when a second page of the origin causes a request.
 *
 * @see decision 0037
 */

import 'fake-indexeddb/auto'
import { storage } from '../../support/fake-browser.ts'

const discoverAhead = vi.hoisted(() => vi.fn(async (_: { issuer: string }) => {}))
let operators: OperatorProfile[] = []

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operator-discovery.ts', async (original) => ({
  ...(await original<object>()),
  discoverAhead,
}))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  listOperators: async () => operators,
}))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  discoverBeforeSignIn,
  findOnlyOperator,
} from '../../../../extension/background/authorization/metadata-ahead.ts'
import {
  restoreWaiver,
  withdrawWaiver,
} from '../../../../extension/background/grants/withdrawn-waivers.ts'
import type {
  OperatorApplication,
  OperatorProfile,
} from '../../../../shared/messages/operator-profile.ts'
import { ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'

const WAIVED: OperatorApplication = {
  clientId: 'client',
  name: 'App',
  origins: [ORIGIN],
  requireConsent: false,
  consentWaiver: { apis: [{ resource: 'https://api.example/v1', scope: 'qos:create' }] },
}

const operatorOf = (application: Partial<OperatorApplication> = {}, issuer = ISSUER) => ({
  ...OPERATOR,
  issuer,
  applications: [{ ...WAIVED, ...application }],
})

beforeEach(async () => {
  operators = [operatorOf()]
  discoverAhead.mockClear()
  await storage.session.clear()
  await restoreWaiver(ISSUER, ORIGIN)
})

describe('W02: metadata are requested ahead of the first sign-in', () => {
  test('at an application that signs in without a question of the broker', async () => {
    await discoverBeforeSignIn(ORIGIN)
    expect(discoverAhead.mock.calls).toEqual([[operators[0]]])
  })

  test('once for each origin in a browser session', async () => {
    await Promise.all([discoverBeforeSignIn(ORIGIN), discoverBeforeSignIn(ORIGIN)])
    await discoverBeforeSignIn(ORIGIN)
    expect(discoverAhead).toHaveBeenCalledOnce()
  })

  test('not where the user has said no before', async () => {
    await withdrawWaiver({ issuer: ISSUER, origin: ORIGIN })
    await discoverBeforeSignIn(ORIGIN)
    expect(discoverAhead).not.toHaveBeenCalled()
  })

  test.each<[string, OperatorProfile[]]>([
    ['that asks the user', [operatorOf({ requireConsent: true })]],
    [
      'that waives nothing',
      [{ ...OPERATOR, applications: [{ ...WAIVED, consentWaiver: { apis: [] }, origins: [] }] }],
    ],
    ['of another origin', [operatorOf({ origins: ['https://other.example'] })]],
    ['that no profile names', [{ ...OPERATOR, onboarding: 'dynamic', applications: [] }]],
    ['that two operators know', [operatorOf(), operatorOf({}, 'https://other.example')]],
    [
      'that another operator knows, and asks the user for',
      [operatorOf(), operatorOf({ requireConsent: true }, 'https://other.example')],
    ],
  ])('not at an application %s', async (_, profiles) => {
    operators = profiles
    expect(findOnlyOperator(operators, ORIGIN)).toBeUndefined()
    await discoverBeforeSignIn(ORIGIN)
    expect(discoverAhead).not.toHaveBeenCalled()
  })
})
