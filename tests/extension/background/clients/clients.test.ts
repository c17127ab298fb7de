/**
 * Tests the binding of clients to origins for each way of onboarding.
 *
 * Seen to fail when the applications of the profile are read with `preregistered` only: the broker
 * registered a second client for a listed application, or required a client document. H07: when a registration has
 * no scope.
 *
 * @see decision 0002
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  registerClient: async (request: RegisterClient) => {
    registered.push(request)
    return { clientId: 'registered' }
  },
}))

import { describe, expect, test, vi } from 'vitest'
import {
  findBoundApplication,
  resolveClientId,
} from '../../../../extension/background/clients/clients.ts'
import type { RegisterClient } from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { OPERATOR, ORIGIN } from '../../support/records.ts'

const registered: RegisterClient[] = []

const ONBOARDINGS = ['preregistered', 'dynamic', 'client_id_metadata_document'] as const
const OTHER = 'https://other.example'
const DOCUMENT = `${OTHER}/client.json`

describe.each(ONBOARDINGS)('at an operator with onboarding %s', (onboarding) => {
  const operator: OperatorProfile = { ...OPERATOR, onboarding }

  test.each([undefined, 'client'])(
    'an origin that the profile lists gets the application of the profile, with clientId %s',
    async (clientId) => {
      expect(await findBoundApplication(operator, ORIGIN, clientId)).toEqual({
        name: 'App',
        requireConsent: true,
        clientId: 'client',
      })
    },
  )

  test('another origin does not get that application', async () => {
    const finding = findBoundApplication(operator, OTHER, 'client')
    if (onboarding === 'client_id_metadata_document')
      await expect(finding).rejects.toThrow('clientId')
    else expect(await finding).toBeUndefined()
  })
})

test('an origin that the profile does not list is registered, has a client document, or gets no client', async () => {
  const find = (onboarding: (typeof ONBOARDINGS)[number], clientId?: string) =>
    findBoundApplication({ ...OPERATOR, onboarding }, OTHER, clientId)
  expect(await find('preregistered')).toBeUndefined()
  expect(await find('dynamic')).toEqual({ name: 'other.example', requireConsent: true })
  expect(await find('client_id_metadata_document', DOCUMENT)).toMatchObject({ clientId: DOCUMENT })
})

test('with private_key_jwt the broker registers a client for an origin that the profile lists, too', async () => {
  const operator: OperatorProfile = {
    ...OPERATOR,
    onboarding: 'dynamic',
    clientAuthentication: 'private_key_jwt',
  }
  expect(await findBoundApplication(operator, ORIGIN, undefined)).toEqual({
    name: 'App',
    requireConsent: true,
  })
})

test('H07: a client is registered with the scopes that its requests may name', async () => {
  const operator: OperatorProfile = {
    ...OPERATOR,
    onboarding: 'dynamic',
    offlineAccess: 'when_offered',
  }
  const metadata = {
    issuer: OPERATOR.issuer,
    authorization_endpoint: `${OPERATOR.issuer}/auth`,
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['offline_access'],
  }
  expect(await resolveClientId(operator, metadata, OTHER, undefined)).toBe('registered')
  expect(registered).toMatchObject([{ scope: 'qos:create offline_access' }])
})
