/**
 * Tests the servers of an operator: one set for the user, the browser and the requests.
 *
 * Seen to fail when only the issuer, `apiRoot` and the APIs belong to the set, when the metadata are compared without
 * the sign-in, when a member of the metadata that the broker uses is not compared, and when every URL of the
 * metadata belongs to the set.
 */

import { describe, expect, test } from 'vitest'
import { listHostPermissions } from '../../../../extension/background/operators/host-permissions.ts'
import {
  addServers,
  findUnnamedServers,
  getServerOrigins,
  getSignInOrigin,
  listServers,
  namesRequestServers,
} from '../../../../extension/background/operators/operator-servers.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { ISSUER, METADATA, OPERATOR } from '../../support/operator.ts'

const EVIL = 'https://evil.example'

/** Members of a profile or its metadata that lead to another server, and the use that the user reads. */
const LEADS: [member: string, change: Partial<OperatorProfile>, use: string][] = [
  ['metadata.token_endpoint', { metadata: { token_endpoint: `${EVIL}/token` } }, 'tokens'],
  ['metadata.jwks_uri', { metadata: { jwks_uri: `${EVIL}/keys` } }, 'keys'],
  [
    'metadata.pushed_authorization_request_endpoint',
    { metadata: { pushed_authorization_request_endpoint: `${EVIL}/par` } },
    'requests',
  ],
  [
    'metadata.registration_endpoint',
    { metadata: { registration_endpoint: `${EVIL}/register` } },
    'registration',
  ],
  [
    'metadata.revocation_endpoint',
    { metadata: { revocation_endpoint: `${EVIL}/revoke` } },
    'revocation',
  ],
  [
    'metadata.authorization_endpoint',
    { metadata: { authorization_endpoint: `${EVIL}/auth` } },
    'signIn',
  ],
  ['signInOrigin', { signInOrigin: EVIL }, 'signIn'],
  ['serverOrigins', { serverOrigins: [EVIL] }, 'authorization'],
  ['capif.apiRoot', { capif: { apiRoot: `${EVIL}/capif` } }, 'capif'],
  [
    'apis.resource',
    { apis: [{ resource: `${EVIL}/v1`, name: 'A', scopes: [{ scope: 'a' }] }] },
    'api',
  ],
]

describe('the servers of an operator', () => {
  test.each(LEADS)(
    'A01: a server of %s is shown, marked, asked for and reachable',
    (_, change, use) => {
      const profile = { ...OPERATOR, ...change }
      expect(listServers(profile)).toContainEqual({ origin: EVIL, uses: [use], isForeign: true })
      expect(listHostPermissions(profile)).toContain(`${EVIL}/*`)
      expect(getServerOrigins(profile).has(EVIL)).toBe(true)
    },
  )

  test('A01: the issuer’s server is the first, and is not marked', () => {
    expect(listServers(OPERATOR)[0]).toEqual({
      origin: ISSUER,
      uses: ['issuer', 'signIn'],
      isForeign: false,
    })
  })

  test('A01: metadata that the broker does not use lead nowhere', () => {
    const metadata = { op_policy_uri: EVIL, userinfo_endpoint: `${EVIL}/me`, jwks_uri: 7 }
    expect(getServerOrigins({ ...OPERATOR, metadata }).has(EVIL)).toBe(false)
  })

  test('A09: the user signs in at the endpoint of the profile, and else at the issuer', () => {
    expect(getSignInOrigin(OPERATOR)).toBe(ISSUER)
    const metadata = { authorization_endpoint: `${EVIL}/auth` }
    expect(getSignInOrigin({ ...OPERATOR, metadata })).toBe(EVIL)
    expect(getSignInOrigin({ ...OPERATOR, signInOrigin: EVIL })).toBe(EVIL)
  })
})

describe('metadata that name', () => {
  test('A01: no other server than the profile are accepted', () => {
    expect(findUnnamedServers(OPERATOR, METADATA)).toBeUndefined()
  })

  test.each([
    'token_endpoint',
    'jwks_uri',
    'pushed_authorization_request_endpoint',
    'registration_endpoint',
    'revocation_endpoint',
  ])('A01: another server in %s are found', (name) => {
    const metadata = { ...METADATA, [name]: `${EVIL}/x` }
    expect(findUnnamedServers(OPERATOR, metadata)).toEqual({ serverOrigins: [EVIL] })
    expect(namesRequestServers(OPERATOR, metadata)).toBe(false)
    const extended = addServers(OPERATOR, { serverOrigins: [EVIL] })
    expect(findUnnamedServers(extended, metadata)).toBeUndefined()
    expect(namesRequestServers(extended, metadata)).toBe(true)
  })

  test('A09: another place to sign in are found, also at a server that the profile names for other uses', () => {
    const metadata = { ...METADATA, authorization_endpoint: 'https://a.example/auth' }
    const additions = { signInOrigin: 'https://a.example', serverOrigins: [] }
    expect(findUnnamedServers(OPERATOR, metadata)).toEqual(additions)
    expect(findUnnamedServers(addServers(OPERATOR, additions), metadata)).toBeUndefined()
  })

  test('A01: another port of the issuer’s host are found', () => {
    const metadata = { ...METADATA, token_endpoint: `${ISSUER}:8443/token` }
    expect(findUnnamedServers(OPERATOR, metadata)).toEqual({ serverOrigins: [`${ISSUER}:8443`] })
  })
})
