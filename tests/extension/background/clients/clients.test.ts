/**
 * As which client an origin may act. @see decision 0002
 *
 * Seen to fail when an application of the profile is asked for with `preregistered` alone: the broker
 * registered a second client for it, or wanted a document.
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { describe, expect, test, vi } from 'vitest'
import { findBoundApplication } from '../../../../extension/background/clients/clients.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { OPERATOR, ORIGIN } from '../../support/records.ts'

const ONBOARDINGS = ['preregistered', 'dynamic', 'client_id_metadata_document'] as const
const OTHER = 'https://other.example'
const DOCUMENT = `${OTHER}/client.json`

describe.each(ONBOARDINGS)('at an operator with onboarding %s', (onboarding) => {
  const operator: OperatorProfile = { ...OPERATOR, onboarding }

  test.each([undefined, 'client'])(
    'an origin that an application names acts as that application, asked for as %s',
    async (clientId) => {
      expect(await findBoundApplication(operator, ORIGIN, clientId)).toEqual({
        name: 'App',
        requireConsent: true,
        clientId: 'client',
      })
    },
  )

  test('no other origin does', async () => {
    const asked = findBoundApplication(operator, OTHER, 'client')
    if (onboarding === 'client_id_metadata_document')
      await expect(asked).rejects.toThrow('clientId')
    else expect(await asked).toBeUndefined()
  })
})

test('an origin that nobody names is registered, brings its document, or is nobody', async () => {
  const asked = (onboarding: (typeof ONBOARDINGS)[number], clientId?: string) =>
    findBoundApplication({ ...OPERATOR, onboarding }, OTHER, clientId)
  expect(await asked('preregistered')).toBeUndefined()
  expect(await asked('dynamic')).toEqual({ name: 'other.example', requireConsent: true })
  expect(await asked('client_id_metadata_document', DOCUMENT)).toMatchObject({ clientId: DOCUMENT })
})

test('a client that authenticates with a key made here is registered for a named origin too', async () => {
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
