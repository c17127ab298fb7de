/**
 * Tests the check of operator profiles, their merge by source, and their host permissions.
 *
 * Seen to fail when a URL is judged by parsing alone (the other spellings), when issuers are compared letter by
 * letter (the issuers that look the same), when the depth of a value is not limited before the checks walk through
 * it (A11k), when a client identifier may have any characters (H14), when an API needs a scope (H21), when the schema
 * has no member for what a server takes (H02, H04, H06), and when the validator of the schema looks for items that are
 * there twice (A08).
 */

import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listHostPermissions } from '../../../../extension/background/operators/host-permissions.ts'
import { mergeOperatorProfiles } from '../../../../extension/background/operators/merge-operator-profiles.ts'
import {
  checkProfile,
  readProfile,
} from '../../../../extension/background/operators/operator-profile-check.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'

const PROFILE: OperatorProfile = {
  issuer: 'https://login.operator.example/tenant',
  name: 'Operator',
  profile: 'oauth',
  metadata: {
    token_endpoint: 'https://token.operator.example/token',
    grant_types_supported: ['authorization_code'],
    mtls_endpoint_aliases: { token_endpoint: 'https://mtls.operator.example/token' },
  },
  apis: [
    {
      resource: 'https://api.operator.example/qos',
      name: 'Quality on demand',
      scopes: [{ scope: '3gpp#aef1:3gpp-as-session-with-qos', description: 'Change the rate' }],
      purposes: ['dpv:RequestedServiceProvision'],
    },
  ],
  applications: [{ clientId: 'play', name: 'Play', origins: ['https://play.example:8443'] }],
}
const [API] = PROFILE.apis
const [APPLICATION] = PROFILE.applications ?? []

const SCHEMA = JSON.parse(
  readFileSync('extension/background/operators/operator-profile.schema.json', 'utf8'),
)
const apis = (change: object) => ({ apis: [{ ...API, ...change }] })
const applications = (change: object) => ({ applications: [{ ...APPLICATION, ...change }] })

const WAIVED = {
  resource: 'https://api.operator.example/qos',
  scope: '3gpp#aef1:3gpp-as-session-with-qos',
}
const WAIVER = { apis: [WAIVED] }
const waiver = (change: object) =>
  applications({ requireConsent: false, consentWaiver: { ...WAIVER, ...change } })

const reasonsFor = (change: object, development = false) =>
  checkProfile({ ...PROFILE, ...change }, development).reasons

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Lists the places where the later schema is not the former schema with more members. */
function findRestrictions(former: unknown, later: unknown, at = 'schema'): string[] {
  if (!isObject(former) || !isObject(later)) {
    return JSON.stringify(former) === JSON.stringify(later) ? [] : [at]
  }
  const names = new Set([...Object.keys(former), ...Object.keys(later)])
  return [...names].flatMap((name) => {
    const path = `${at}.${name}`
    if (name === 'description' && typeof later[name] === 'string') return []
    if (!(name in former) && at.endsWith('.properties')) return []
    // A lower bound that is gone rejects nothing.
    if (name === 'minItems' && !(name in later)) return []
    return findRestrictions(former[name], later[name], path)
  })
}

describe('operator profiles, version 1', () => {
  test('a profile with every member is accepted unchanged', () => {
    expect(checkProfile(PROFILE, false)).toEqual({ profile: PROFILE })
  })

  test('A03: a waiver is accepted, and so is requireConsent: false alone, as before', () => {
    const purpose = 'dpv:RequestedServiceProvision'
    const declared = waiver({ modes: ['fetch', 'token'], apis: [{ ...WAIVED, purpose }] })
    expect(reasonsFor(declared)).toBeUndefined()
    expect(reasonsFor(applications({ requireConsent: false }))).toBeUndefined()
  })

  test('the schema only adds members to the schema of the design', ({ skip }) => {
    const design = '../shared/design/operator-profile.schema.json'
    skip(!existsSync(design), `did not run: ${design} is missing`)
    expect(findRestrictions(JSON.parse(readFileSync(design, 'utf8')), SCHEMA)).toEqual([])
  })

  test('H21: an API without scopes is accepted, and its waiver has none', () => {
    const { scope: _, ...waived } = WAIVED
    const { applications } = waiver({ apis: [waived] })
    expect(reasonsFor(apis({ scopes: [] }))).toBeUndefined()
    expect(reasonsFor({ ...apis({ scopes: [] }), applications })).toBeUndefined()
  })

  test.each([
    ['H02', 'offlineAccess', ['never', 'when_offered']],
    ['H04', 'resourceIndicators', ['when_one', 'always', 'never']],
    ['H06', 'assertionAudience', ['issuer', 'token_endpoint', 'endpoint']],
  ])('%s: %s is one of %j', (_, member, values) => {
    for (const value of values) expect(reasonsFor({ [member]: value })).toBeUndefined()
    expect(reasonsFor({ [member]: 'required' })).toEqual([
      `${member}: expected one of ${values.join(', ')}`,
    ])
  })

  test('the schema accepts no other members', () => {
    expect(SCHEMA.additionalProperties).toBe(false)
  })

  const rejected: [title: string, change: object, reason: string][] = [
    ['a misspelt member', { onbording: 'dynamic' }, 'onbording: unknown member'],
    ['a misspelt member deep inside', apis({ scope: 'x' }), 'apis[0].scope: unknown member'],
    ['an issuer that is no text', { issuer: 7 }, 'issuer: expected string'],
    ['a profile that is not there', { profile: 'gsm' }, 'profile: expected one of oauth, capif'],
    ['a name without a letter', { name: '' }, 'name: expected 1 to 80 characters'],
    ['no API', { apis: [] }, 'apis: expected at least one'],
    [
      'a method that is none',
      apis({ methods: ['get'] }),
      'apis[0].methods[0]: expected one of GET',
    ],
    [
      'a purpose outside DPV',
      apis({ purposes: ['x'] }),
      'apis[0].purposes[0]: expected a DPV term',
    ],
    [
      'a server twice',
      { serverOrigins: ['https://a.example', 'https://a.example'] },
      'serverOrigins: expected each only once',
    ],
    ['a mode twice', { modes: ['fetch', 'fetch'] }, 'modes: expected each only once'],
    ['an issuer that is no URL', { issuer: 'operator' }, 'issuer: expected an absolute URL'],
    ['E07: letters outside ASCII', { issuer: 'https://ex\u0430mple.com' }, 'an absolute URL'],
    ['an issuer with a query', { issuer: 'https://a.example/?b' }, 'issuer: expected no query'],
    ['an empty query', { issuer: 'https://a.example/?' }, 'issuer: expected no query'],
    ['an issuer with a fragment', { issuer: 'https://a.example/#b' }, 'issuer: expected no query'],
    ['user information', { issuer: 'https://u:p@a.example/' }, 'issuer: expected no user'],
    ['an http issuer', { issuer: 'http://a.example' }, 'issuer: expected an https URL'],
    ['an http issuer on loopback', { issuer: 'http://127.0.0.1:1' }, 'issuer: expected an https'],
    ['another scheme', { issuer: 'ftp://a.example' }, 'issuer: expected an https URL'],
    ['an http API', apis({ resource: 'http://a.example' }), 'apis[0].resource: expected an https'],
    ['an API with a query', apis({ resource: 'https://a.example/?x=1' }), 'apis[0].resource'],
    ['an http apiRoot', { capif: { apiRoot: 'http://a.example' } }, 'capif.apiRoot: expected an'],
    [
      'an http endpoint in the metadata',
      { metadata: { token_endpoint: 'http://a.example' } },
      'metadata.token_endpoint: expected an https URL',
    ],
    [
      'an http endpoint among the aliases of RFC 8705',
      { metadata: { mtls_endpoint_aliases: { token_endpoint: 'http://a.example' } } },
      'metadata.mtls_endpoint_aliases.token_endpoint: expected an https URL',
    ],
    ['an endpoint that is no string', { metadata: { jwks_uri: 7 } }, 'metadata.jwks_uri: expected'],
    [
      'metadata of another issuer',
      { metadata: { issuer: 'https://evil.example' } },
      'metadata.issuer: expected the same as issuer',
    ],
    [
      'an API with an ambiguous path',
      apis({ resource: 'https://a.example/v1/%61dmin' }),
      'apis[0].resource: expected no percent-encoding of letters, digits, "-", ".", "_" and "~"',
    ],
    ['an API twice', { apis: [API, API] }, 'apis.resource: expected each only once'],
    [
      'two words in one scope',
      apis({ scopes: [{ scope: 'a b' }] }),
      'apis[0].scopes: expected one',
    ],
    [
      'H14: a client identifier outside of ASCII',
      applications({ clientId: 'spïel' }),
      'applications[0].clientId: expected printable ASCII',
    ],
    [
      'H21: an API that says nothing of its scopes',
      { apis: [{ resource: 'https://api.operator.example/qos', name: 'Quality on demand' }] },
      'apis[0].scopes: expected to be there',
    ],
    [
      'H21: an API without scopes of CAPIF',
      { profile: 'capif', ...apis({ scopes: [] }) },
      'apis[0].scopes: expected at least one for capif',
    ],
    [
      'H21: an API without scopes of CAMARA',
      { profile: 'camara', ...apis({ scopes: [] }) },
      'apis[0].scopes: expected at least one for camara',
    ],
    [
      'H21: a waiver without scope of an API with scopes',
      waiver({ apis: [{ resource: WAIVED.resource }] }),
      'applications[0].consentWaiver.apis[0].scope: expected scopes of that API',
    ],
    [
      'H21: a waiver with scope of an API without scopes',
      { ...apis({ scopes: [] }), ...waiver({}) },
      'and none for an API without scopes',
    ],
    [
      'an origin with a path',
      applications({ origins: ['https://a.example/'] }),
      'an origin (https)',
    ],
    ['an origin with a pattern', applications({ origins: ['https://*.a.example'] }), 'origins'],
    ['an http origin', applications({ origins: ['http://a.example'] }), 'an origin (https)'],
    [
      'A03: a waiver without requireConsent: false',
      applications({ consentWaiver: WAIVER }),
      'applications[0].consentWaiver: expected requireConsent: false beside it',
    ],
    ['A03: a waiver of no API', waiver({ apis: [] }), 'consentWaiver.apis: expected at least one'],
    [
      'A03: a waiver of an API that is not offered',
      waiver({ apis: [{ ...WAIVED, resource: 'https://other.example' }] }),
      'applications[0].consentWaiver.apis[0].resource: expected the resource of one of apis',
    ],
    [
      'A03: a waiver of a scope that is not offered',
      waiver({ apis: [{ ...WAIVED, scope: `${WAIVED.scope} more` }] }),
      'applications[0].consentWaiver.apis[0].scope: expected scopes of that API',
    ],
    [
      'A03: a waiver of a purpose that is not offered',
      waiver({ apis: [{ ...WAIVED, purpose: 'dpv:Marketing' }] }),
      'applications[0].consentWaiver.apis[0].purpose: expected a purpose of that API',
    ],
    [
      'A03: a waiver of a mode that is not offered',
      { modes: ['fetch'], ...waiver({ modes: ['token'] }) },
      'applications[0].consentWaiver.modes: expected modes that the operator offers',
    ],
    [
      'A03: a waiver with a misspelt member',
      waiver({ scopes: [] }),
      'applications[0].consentWaiver.scopes: unknown member',
    ],
    ['a name that turns its surroundings', { name: 'a\u202eb' }, 'name: expected no control'],
    ['a name with stacked marks', { name: `a${'\u0338'.repeat(9)}` }, 'name: expected no control'],
    ['a name with nothing to see in it', { name: 'a\u200bb' }, 'no invisible characters'],
    ['a name of two lines', applications({ name: 'a\nb' }), 'applications[0].name: expected no'],
  ]
  test.each(rejected)('rejected: %s', (_, change, reason) => {
    expect(reasonsFor(change)?.join('\n')).toContain(reason)
  })

  /** Spellings of a base URL of this host that a reader or a parser could take for another URL. */
  const spellings = [
    'https://A.example',
    'https://a.example:443',
    'https://a.example.',
    'https:/a.example@evil.example',
    'https:a.example',
    'https://*.a.example',
    'https://a.example/x/../y',
    'https://a.example//y',
    'https://a.example/%7ey',
    'https://127.1',
  ]
  const places: [member: string, change: (url: string) => object][] = [
    ['issuer', (issuer) => ({ issuer })],
    ['metadata.token_endpoint', (url) => ({ metadata: { token_endpoint: url } })],
    ['capif.apiRoot', (apiRoot) => ({ capif: { apiRoot } })],
    ['apis[0].resource', (resource) => apis({ resource })],
    ['applications[0].origins[0]', (origin) => applications({ origins: [origin] })],
    ['serverOrigins[0]', (origin) => ({ serverOrigins: [origin] })],
    ['signInOrigin', (signInOrigin) => ({ signInOrigin })],
  ]
  test.each(
    places.flatMap(([member, change]) => spellings.map((url) => [member, url, change] as const)),
  )('A09: %s is rejected with the reason in the spelling %s', (member, url, change) => {
    const reasons = reasonsFor(change(url))
    expect(reasons).toHaveLength(1)
    expect(reasons?.[0]).toMatch(/: expected /)
    expect(reasons?.[0]?.startsWith(member)).toBe(true)
  })

  test.each([
    [
      'a path',
      { serverOrigins: ['https://a.example', 'https://b.example/x'] },
      'serverOrigins[1]: expected an origin (https) as location.origin prints it, without path',
    ],
    [
      'plain http',
      { serverOrigins: ['http://a.example'] },
      'serverOrigins[0]: expected an origin (https)',
    ],
    [
      'more than 16',
      { serverOrigins: Array.from({ length: 17 }, (_, index) => `https://a${index}.example`) },
      'serverOrigins: expected at most 16',
    ],
    [
      'a place to sign in beside another one in the metadata',
      {
        signInOrigin: 'https://a.example',
        metadata: { authorization_endpoint: 'https://b.example/auth' },
      },
      'signInOrigin: expected the origin of metadata.authorization_endpoint',
    ],
  ])('A01: further servers are rejected with %s', (_, change, reason) => {
    expect(reasonsFor(change)?.join()).toContain(reason)
  })

  test('A01: further servers and the place to sign in are accepted', () => {
    const change = { signInOrigin: 'https://a.example', serverOrigins: ['https://b.example:8443'] }
    expect(reasonsFor(change)).toBeUndefined()
  })

  test('A09: an API is the same with a slash at the end', () => {
    const twice = { apis: [API, { ...API, resource: `${API?.resource}/` }] }
    expect(reasonsFor(twice)).toEqual(['apis.resource: expected each only once'])
  })

  test('rejected: a missing required member', () => {
    const { issuer: _, ...rest } = PROFILE
    expect(checkProfile(rest, false).reasons).toEqual(['issuer: expected to be there'])
  })

  test('http on loopback is accepted in the development build only', () => {
    const local = {
      issuer: 'http://127.0.0.1:4000',
      ...apis({ resource: 'http://localhost:4001/qos' }),
      ...applications({ origins: ['http://app.localhost:8080'] }),
      metadata: { token_endpoint: 'http://127.0.0.1:4000/token' },
      capif: { apiRoot: 'http://127.0.0.1:4000' },
    }
    expect(reasonsFor(local, true)).toBeUndefined()
    expect(reasonsFor(local, false)).toHaveLength(5)
    expect(reasonsFor({ issuer: 'http://192.168.0.1' }, true)?.[0]).toContain('http on loopback')
  })

  test('a reason never repeats a value', () => {
    const value = 'hunter2'
    for (const change of [
      { issuer: value },
      { issuer: `http://${value}.example` },
      { profile: value },
      { capif: { authCode: value } },
      apis({ methods: [value] }),
      applications({ origins: [value] }),
    ]) {
      expect(reasonsFor(change)?.join()).not.toContain(value)
    }
  })

  test('every value gets a result, and only a value with the shape of a profile is accepted', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(checkProfile(value, true).reasons?.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('a file', () => {
  test.each([
    ['no JSON', '{', 'file: expected JSON'],
    ['a list', '[]', 'file: expected one profile'],
    ['something else', '"x"', 'profile: expected object'],
    ['more than 256 KiB', ' '.repeat(256 * 1024 + 1), 'file: expected at most 256 KiB'],
  ])('%s is rejected', (_, text, reason) => {
    expect(readProfile(text, false).reasons?.[0]).toContain(reason)
  })

  test('a profile is parsed', () => {
    expect(readProfile(JSON.stringify(PROFILE), false).profile).toEqual(PROFILE)
  })
})

describe('A11k: a profile that is nested very deeply', () => {
  const LIMIT_REASON = 'metadata: expected at most 32 levels of objects and lists'
  const toObjects = (levels: number) => `${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`
  const toLists = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const toFile = (metadata: string) =>
    JSON.stringify({ ...PROFILE, metadata: 'METADATA' }).replace('"METADATA"', metadata)

  test.each([
    ['objects in metadata', toFile(toObjects(40_000)), LIMIT_REASON],
    ['lists in metadata', toFile(`{"a":${toLists(120_000)}}`), LIMIT_REASON],
    ['objects 32 levels deep in metadata', toFile(toObjects(32)), LIMIT_REASON],
    ['an unknown member', `{"x":${toLists(120_000)}}`, 'x: expected at most 32 levels'],
    ['lists alone', toLists(120_000), 'file: expected one profile, not a list'],
  ])('%s: rejected with the name of the parameter', (_, text, reason) => {
    expect(readProfile(text, false).reasons).toEqual([expect.stringContaining(reason)])
  })

  test('metadata of 31 levels is accepted', () => {
    expect(readProfile(toFile(toObjects(31)), false).reasons).toBeUndefined()
  })

  test('in a list of the policy is rejected alone', () => {
    const deep: unknown = JSON.parse(toFile(toObjects(40_000)))
    const { operators, rejected } = mergeOperatorProfiles(
      { policy: [deep, PROFILE, JSON.parse(toLists(40_000))], file: [], demo: [] },
      false,
    )
    expect(operators.map(({ profile }) => profile)).toEqual([PROFILE])
    expect(rejected.map(({ reasons }) => reasons[0])).toEqual([
      LIMIT_REASON,
      'profile: expected at most 32 levels of objects and lists',
    ])
  })
})

describe('the merge of profiles', () => {
  const otherProfile = { ...PROFILE, issuer: 'https://other.example', name: 'Other' }
  const none = { policy: [], file: [], demo: [] }

  test('policy takes precedence over files, and files over the demonstration', () => {
    const third = { ...PROFILE, issuer: 'https://third.example' }
    const { operators } = mergeOperatorProfiles(
      { policy: [otherProfile], file: [PROFILE], demo: [third] },
      true,
    )
    expect(operators.map(({ source }) => source)).toEqual(['policy', 'file', 'demo'])
  })

  test('of two profiles with one issuer the second is rejected with the reason', () => {
    const copy = { ...PROFILE, name: 'Copy' }
    const { operators, rejected } = mergeOperatorProfiles(
      { ...none, policy: [PROFILE, copy], file: [{ ...PROFILE, name: 'File' }] },
      false,
    )
    expect(operators.map(({ profile }) => profile.name)).toEqual(['Operator'])
    expect(rejected).toMatchObject([
      { source: 'policy', name: 'Copy', reasons: [expect.stringContaining('no other profile')] },
      { source: 'file', name: 'File', reasons: [expect.stringContaining('"Operator" has it')] },
    ])
  })

  test.each(['https://login.operator.example/tenant/', 'https://login.operator.example/Tenant'])(
    'A09: an issuer that only looks the same is taken: %s',
    (issuer) => {
      const { operators, rejected } = mergeOperatorProfiles(
        { ...none, file: [PROFILE, { ...PROFILE, issuer, name: 'Evil' }] },
        false,
      )
      expect(operators.map(({ profile }) => profile.name)).toEqual(['Operator'])
      expect(rejected.map(({ reasons }) => reasons)).toEqual([
        [expect.stringContaining('"Operator" has it')],
      ])
    },
  )

  test('an invalid profile is rejected with its name, and the others are used', () => {
    const { operators, rejected } = mergeOperatorProfiles(
      { ...none, policy: [{ name: 'Bad' }, otherProfile, 7] },
      false,
    )
    expect(operators.map(({ profile }) => profile.name)).toEqual(['Other'])
    expect(rejected.map(({ name }) => name)).toEqual(['Bad', 'Profile 3'])
  })

  test('a policy that is no list is rejected as a whole', () => {
    expect(mergeOperatorProfiles({ ...none, policy: { 0: PROFILE } }, false).rejected).toEqual([
      expect.objectContaining({ reasons: ['operators: expected a list of profiles'] }),
    ])
  })

  test('the host permissions contain every host of the profile once', () => {
    const capif = { apiRoot: 'https://login.operator.example/capif' }
    expect(listHostPermissions({ ...PROFILE, capif })).toEqual([
      'https://login.operator.example/*',
      'https://token.operator.example/*',
      'https://api.operator.example/*',
    ])
  })
})

describe('A08: a long list of a hostile file', () => {
  test.each(['modes', 'serverOrigins'])(
    'is read a number of times that grows with its length alone: %s',
    (name) => {
      let reads = 0
      const items = Array.from({ length: 1_000 }, (_, index) => `${index}`)
      const counted = new Proxy(items, {
        get(target, key) {
          reads += 1
          return Reflect.get(target, key)
        },
      })
      const { reasons } = checkProfile({ ...PROFILE, [name]: counted }, false)
      expect(reasons?.[0]).toContain(name)
      expect(reads).toBeLessThan(20 * items.length)
    },
  )
})
