/**
 * Tests the binding of clients to origins for each way of onboarding.
 *
 * Seen to fail when the applications of the profile are read with `preregistered` only: the broker
 * registered a second client for a listed application, or required a client document. Also when an assertion has no
 * `kid` (H23), when the spelling of the URL of a client document is judged after the consent (H14), and when a
 * registration has no scope (H07).
 *
 * @see decision 0002
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  findBoundApplication,
  getClientKey,
  resolveClientId,
} from '../../../../extension/background/clients/clients.ts'
import type { ServerMetadata } from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import { OPERATOR, ORIGIN } from '../../support/records.ts'

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

test.each([
  ['a query', `${DOCUMENT}?x=1`],
  ['a fragment', `${DOCUMENT}#x`],
  ['no path', `${OTHER}/`],
  ['another spelling', 'https://OTHER.example/client.json'],
  ['dot segments', `${OTHER}/a/../client.json`],
  ['another origin', 'https://evil.example/client.json'],
  ['user information', 'https://user@other.example/client.json'],
  ['no URL', 'client'],
  ['nothing', undefined],
])(
  'H14: a client document with %s in its URL is an invalid parameter before anybody is asked',
  async (_what, clientId) => {
    const operator = { ...OPERATOR, onboarding: 'client_id_metadata_document' as const }
    await expect(findBoundApplication(operator, OTHER, clientId)).rejects.toMatchObject({
      code: ERROR_CODE.invalidParams,
      message: expect.stringMatching(/^clientId: /),
    })
  },
)

/** Answers each registration with `clientId`, and returns the bodies of the requests. */
function stubRegistration(clientId: string): string[] {
  const bodies: string[] = []
  vi.stubGlobal('fetch', async (_url: string, { body }: RequestInit) => {
    bodies.push(String(body))
    return Response.json({ client_id: clientId }, { status: 201 })
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  return bodies
}

const METADATA: ServerMetadata = {
  issuer: OPERATOR.issuer,
  authorization_endpoint: `${OPERATOR.issuer}/authorize`,
  registration_endpoint: `${OPERATOR.issuer}/register`,
  code_challenge_methods_supported: ['S256'],
}

test('H07: a client is registered with the scopes that its requests may name', async () => {
  const bodies = stubRegistration('c7')
  const operator: OperatorProfile = {
    ...OPERATOR,
    onboarding: 'dynamic',
    offlineAccess: 'when_offered',
  }
  const metadata = { ...METADATA, scopes_supported: ['offline_access'] }
  expect(await resolveClientId(operator, metadata, 'https://third.example', undefined)).toBe('c7')
  expect(bodies.map((body) => JSON.parse(body).scope)).toEqual(['qos:create offline_access'])
})

test('H23: the kid of the registered key is that of the key which signs assertions (OpenID Connect Core section 10.1)', async () => {
  const bodies = stubRegistration('c1')
  const operator: OperatorProfile = {
    ...OPERATOR,
    onboarding: 'dynamic',
    clientAuthentication: 'private_key_jwt',
  }
  expect(await resolveClientId(operator, METADATA, OTHER, undefined)).toBe('c1')
  const [published] = JSON.parse(bodies[0] ?? '').jwks.keys
  expect(published.kid).toMatch(/^[\w-]{43}$/)
  expect((await getClientKey(operator, OTHER))?.kid).toBe(published.kid)
})
