/**
 * Tests what a file changes in a profile that it replaces, and which grants the change concerns.
 *
 * Seen to fail when a change of the metadata concerns no grant, when a change of another API or of a description
 * concerns the grant, when a change of what later requests say does, when the order of members counts as a change, and
 * when the scope that a server stated has to be one of the profile.
 */

import { describe, expect, test } from 'vitest'
import {
  type ConcernedGrant,
  changesGrant,
  listChanges,
} from '../../../../extension/background/operators/profile-changes.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'

const ORIGIN = 'https://play.example'
const QOS = {
  resource: 'https://api.operator.example/qos',
  name: 'Quality',
  description: 'Faster.',
  scopes: [{ scope: 'read' }, { scope: 'write' }],
  methods: ['GET' as const, 'POST' as const],
  purposes: ['dpv:A', 'dpv:B'],
}
const LOCATION = {
  resource: 'https://api.operator.example/location',
  name: 'Location',
  scopes: [{ scope: 'locate' }],
}
const BEFORE: OperatorProfile = {
  issuer: 'https://login.operator.example',
  name: 'Operator',
  profile: 'oauth',
  metadata: { token_endpoint: 'https://login.operator.example/token' },
  apis: [QOS, LOCATION],
  applications: [{ clientId: 'play', name: 'Play', origins: [ORIGIN] }],
}
const GRANT: ConcernedGrant = {
  origin: ORIGIN,
  clientId: 'play',
  mode: 'fetch',
  apis: [{ resource: QOS.resource, scope: 'write', purpose: 'dpv:A' }],
}
const [APPLICATION] = BEFORE.applications ?? []
const withQos = (change: object) => ({ apis: [{ ...QOS, ...change }, LOCATION] })

describe('F06: a grant', () => {
  const cases: [title: string, change: Partial<OperatorProfile>, isConcerned: boolean][] = [
    ['nothing at all', {}, false],
    ['the name of the operator', { name: 'Another name' }, false],
    ['the description of its API', withQos({ description: 'Much faster.', name: 'QoS' }), false],
    ['another API', { apis: [QOS, { ...LOCATION, methods: ['GET'] }] }, false],
    ['another API that is removed', { apis: [QOS] }, false],
    [
      'another scope of its API',
      withQos({ scopes: [{ scope: 'write' }, { scope: 'new' }] }),
      false,
    ],
    ['another purpose of its API', withQos({ purposes: ['dpv:A'] }), false],
    [
      'another application',
      {
        applications: [
          ...(BEFORE.applications ?? []),
          { clientId: 'x', name: 'X', origins: ['https://x.example'] },
        ],
      },
      false,
    ],
    [
      'the consent window of its application',
      {
        applications: [{ clientId: 'play', name: 'Play', origins: [ORIGIN], requireConsent: true }],
      },
      false,
    ],
    ['modes that have its mode', { modes: ['fetch'] }, false],
    ['modes without its mode', { modes: ['token'] }, true],
    ['the scope offline_access in later requests', { offlineAccess: 'when_offered' }, false],
    ['the resources that later requests name', { resourceIndicators: 'never' }, false],
    ['another audience of client assertions', { assertionAudience: 'token_endpoint' }, false],
    ['its API is removed', { apis: [LOCATION] }, true],
    ['its scope is removed', withQos({ scopes: [{ scope: 'read' }] }), true],
    ['the scopes of its API are left to the server', withQos({ scopes: [] }), true],
    ['its purpose is removed', withQos({ purposes: ['dpv:B'] }), true],
    ['more methods of its API', withQos({ methods: ['GET', 'POST', 'DELETE'] }), true],
    ['tokens for one call at its API', withQos({ tokenUse: 'single-use' }), true],
    [
      'its origin is removed from the application',
      { applications: [{ clientId: 'play', name: 'Play', origins: ['https://new.example'] }] },
      true,
    ],
    [
      'another token endpoint',
      { metadata: { token_endpoint: 'https://evil.example/token' } },
      true,
    ],
    ['another server', { serverOrigins: ['https://more.example'] }, true],
    ['another place to sign in', { signInOrigin: 'https://signin.example' }, true],
    ['another family', { profile: 'camara' }, true],
    ['another client authentication', { clientAuthentication: 'private_key_jwt' }, true],
  ]
  test.each(cases)('%s: %j concerns it: %j', (_title, change, isConcerned) => {
    expect(changesGrant(BEFORE, { ...BEFORE, ...change }, GRANT)).toBe(isConcerned)
  })

  test('of a registered client is not concerned by the list of applications', () => {
    const registered = { ...GRANT, clientId: 'registered', origin: 'https://other.example' }
    expect(changesGrant(BEFORE, { ...BEFORE, applications: [] }, registered)).toBe(false)
  })

  test.each([
    ['is not concerned by another name of its API', { name: 'QoS', scopes: [] }, false],
    ['is concerned by scopes of its API', {}, true],
  ])('of an API without scopes %s', (_title, change, isConcerned) => {
    const before = { ...BEFORE, ...withQos({ scopes: [] }) }
    const stated = { ...GRANT, apis: [{ resource: QOS.resource, scope: 'stated by the server' }] }
    expect(changesGrant(before, { ...before, ...withQos(change) }, stated)).toBe(isConcerned)
  })

  test('is not concerned by the order of members', () => {
    const reverse = (value: unknown): unknown =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, inner]) => [name, reverse(inner)]),
          )
    const metadata = { token_endpoint: 'https://a.example', jwks_uri: 'https://b.example' }
    const before = { ...BEFORE, metadata }
    const reversed = reverse(before) as OperatorProfile
    expect(changesGrant(before, reversed, GRANT)).toBe(false)
    expect(listChanges(before, reversed)).toEqual([])
  })
})

test('F06: the user reads each server, API, application and setting that changes', () => {
  const after: OperatorProfile = {
    ...BEFORE,
    dpop: 'required',
    metadata: { token_endpoint: 'https://tokens.example/token' },
    apis: [{ ...QOS, methods: ['GET'] }],
    applications: [
      { ...(APPLICATION as NonNullable<typeof APPLICATION>), origins: ['https://new.example'] },
      { clientId: 'shop', name: 'Shop', origins: ['https://shop.example'] },
    ],
  }
  expect(listChanges(BEFORE, after)).toEqual([
    {
      subject: 'server',
      kind: 'changed',
      name: 'https://login.operator.example',
      members: ['uses'],
    },
    { subject: 'server', kind: 'added', name: 'https://tokens.example' },
    {
      subject: 'api',
      kind: 'changed',
      name: 'Quality (https://api.operator.example/qos)',
      members: ['methods'],
    },
    { subject: 'api', kind: 'removed', name: 'Location (https://api.operator.example/location)' },
    { subject: 'application', kind: 'changed', name: 'Play', members: ['origins'] },
    { subject: 'application', kind: 'added', name: 'Shop' },
    { subject: 'member', kind: 'changed', name: 'metadata' },
    { subject: 'member', kind: 'changed', name: 'dpop' },
  ])
})
