/**
 * Tests the import of operators: an operator is added only with the browser's permission for all of its servers,
 * including those that its metadata name. The metadata come from a double of `fetch`; the stores are real, on an
 * in-memory IndexedDB.
 *
 * Seen to fail when an operator is stored without a look at the permissions, when the discovery does not add the
 * servers to the profile, when a server that appears later is used, and when an issuer with a slash more is taken.
 * F05, F06: before a file could replace a profile, and before the policy could have texts; when the profile that the
 * user has seen is not compared, and when a replacement ends no grant.
 */

import 'fake-indexeddb/auto'
import fake, { reportPolicyChange, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  deleteGrant,
  getSessionName,
  listAllGrants,
  saveGrant,
} from '../../../../extension/background/grants/grants.ts'
import { discoverServer } from '../../../../extension/background/operators/operator-discovery.ts'
import {
  addConfirmedServers,
  addOperator,
  checkOperator,
  describeOperators,
  discoverOperator,
  findOperator,
  removeOperator,
} from '../../../../extension/background/operators/operators.ts'
import { log } from '../../../../extension/background/platform/log.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'
import { REDIRECT_BASE } from '../../../../extension/identity.ts'
import { redirectUriFor } from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import type { ScreenMethod, ScreenMethods } from '../../../../shared/messages/screen-channel.ts'
import { A, B, ISSUER, METADATA } from '../../support/operator.ts'
import { grantOf } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const OPERATOR: OperatorProfile = {
  issuer: ISSUER,
  name: 'Operator',
  profile: 'oauth',
  apis: [A, B].map(({ resource, scope }) => ({ resource, name: scope, scopes: [{ scope }] })),
}
const ELSEWHERE = 'https://tokens.example'
const TEXT = JSON.stringify(OPERATOR)

/** Match patterns that the browser has given. */
let given: Set<string>
let requests: string[]
let metadata: Record<string, unknown>

beforeEach(() => {
  given = new Set(['https://operator.example/*', 'https://a.example/*', 'https://b.example/*'])
  requests = []
  metadata = { ...METADATA }
  vi.spyOn(fake.permissions, 'contains').mockImplementation((async (what: { origins: string[] }) =>
    what.origins.every((origin) => given.has(origin))) as never)
  vi.stubGlobal('fetch', async (url: string) => {
    requests.push(url)
    if (!url.includes('/.well-known/')) return new Response('{}', { status: 404 })
    return Response.json(metadata)
  })
})
afterEach(async () => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  await removeOperator(ISSUER)
  await storage.session.clear()
})

const getOperator = async () => (await findOperator(ISSUER)) as OperatorProfile

describe('an imported operator', () => {
  test('A01: is added when the browser has given the permission for each of its servers', async () => {
    expect((await addOperator(TEXT)).reasons).toBeUndefined()
    expect(await getOperator()).toEqual(OPERATOR)
  })

  test.each([
    ['the issuer', 'https://operator.example/*'],
    ['an API', 'https://b.example/*'],
  ])('A01: is not added without the permission for the server of %s', async (_, pattern) => {
    given.delete(pattern)
    expect((await addOperator(TEXT)).reasons).toEqual([
      `permission: expected the browser's for ${pattern}`,
    ])
    expect(await findOperator(ISSUER)).toBeUndefined()
  })

  test('A01: whose token endpoint is elsewhere is shown with that server, and not added without it', async () => {
    const profile = { ...OPERATOR, metadata: { token_endpoint: `${ELSEWHERE}/token` } }
    const check = await checkOperator(JSON.stringify(profile))
    expect(check).toMatchObject({ permissions: expect.arrayContaining([`${ELSEWHERE}/*`]) })
    expect((await addOperator(JSON.stringify(profile))).reasons?.[0]).toContain(ELSEWHERE)
    given.add(`${ELSEWHERE}/*`)
    expect((await addOperator(JSON.stringify(profile))).reasons).toBeUndefined()
  })

  test('A01: gets the servers of its metadata into its profile, before it is added', async () => {
    metadata.token_endpoint = `${ELSEWHERE}/token`
    metadata.authorization_endpoint = 'https://signin.example/auth'
    const discovery = await discoverOperator(TEXT)
    expect(discovery).toMatchObject({
      profile: { signInOrigin: 'https://signin.example', serverOrigins: [ELSEWHERE] },
      permissions: expect.arrayContaining([`${ELSEWHERE}/*`, 'https://signin.example/*']),
    })
    expect(await findOperator(ISSUER)).toBeUndefined()
    expect(requests.filter((url) => /^https:/.test(url) && !url.startsWith(ISSUER))).toEqual([])
  })

  test.each([
    ['a pattern of all hosts', 'https://*/token'],
    ['plain http', 'http://tokens.example/token'],
  ])('A09: whose metadata name %s gets nothing of it', async (_, url) => {
    metadata.token_endpoint = url
    const { profile } = await discoverOperator(TEXT)
    expect(profile?.serverOrigins).toBeUndefined()
  })

  test('A01: whose metadata cannot be read keeps the servers of its profile', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('offline')))
    expect(await discoverOperator(TEXT)).toMatchObject({
      undiscovered: expect.stringContaining('could not be reached'),
      profile: OPERATOR,
    })
  })

  test('whose server states another issuer is rejected, and the reason has that issuer', async () => {
    metadata.issuer = `${ISSUER}/`
    const { reasons } = await discoverOperator(TEXT)
    expect(reasons).toEqual([
      expect.stringMatching(/^issuer: .*must be the issuer asked, and it is/),
    ])
    expect(reasons?.[0]).toContain(`it is ${ISSUER}/`)
  })

  test.each([
    ['with a slash more', `${ISSUER}/`],
    ['of the same letters', ISSUER],
  ])('A09: with the issuer of another operator %s is not added beside it', async (_, issuer) => {
    await addOperator(TEXT)
    const check = await addOperator(JSON.stringify({ ...OPERATOR, issuer, name: 'Evil' }))
    expect(check.reasons?.[0]).toContain('issuer: expected one that no other profile has')
    expect(await getOperator()).toEqual(OPERATOR)
  })
})

describe('F06: a file with the issuer of an imported operator', () => {
  const RENAMED = { ...OPERATOR, name: 'Renamed' }
  const RENAMED_TEXT = JSON.stringify(RENAMED)
  const send = <M extends ScreenMethod>(method: M, params: ScreenMethods[M]['params']) =>
    handleScreenRequest({ type: 'screenRequest', method, params }) as Promise<
      ScreenMethods[M]['result']
    >

  beforeEach(async () => {
    expect((await addOperator(TEXT)).reasons).toBeUndefined()
  })

  test('shows what it replaces and changes, and stores nothing', async () => {
    expect(await checkOperator(RENAMED_TEXT)).toMatchObject({
      profile: RENAMED,
      replaces: {
        profile: OPERATOR,
        source: 'file',
        changes: [{ subject: 'member', kind: 'changed', name: 'name' }],
      },
    })
    expect(await getOperator()).toEqual(OPERATOR)
  })

  test('replaces the profile that the user has seen, and no other', async () => {
    const seen = { ...OPERATOR, name: 'Seen earlier' }
    const late = await addOperator(RENAMED_TEXT, seen)
    expect(late.reasons?.[0]).toContain('issuer: expected one that no other profile has')
    expect(await getOperator()).toEqual(OPERATOR)
    expect((await addOperator(RENAMED_TEXT, OPERATOR)).reasons).toBeUndefined()
    expect(await getOperator()).toEqual(RENAMED)
  })

  test('does not replace an operator of the policy', async () => {
    await storage.managed.set({ operators: [OPERATOR] })
    reportPolicyChange()
    const check = await checkOperator(RENAMED_TEXT)
    expect(check.reasons?.[0]).toContain('issuer: expected one that no other profile has')
    await storage.managed.clear()
    reportPolicyChange()
  })

  test('ends the grants that its change concerns, with their tokens, and keeps the others', async () => {
    const session = await getSessionName()
    const common = { issuer: ISSUER, session }
    const ofA = grantOf({ ...common, origin: 'https://one.example', apis: [A] })
    const ofB = grantOf({ ...common, origin: 'https://two.example', apis: [B] })
    await saveGrant(ofA)
    await saveGrant(ofB)
    const [apiA, apiB] = OPERATOR.apis
    const text = JSON.stringify({ ...OPERATOR, apis: [{ ...apiA, methods: ['GET'] }, apiB] })
    const check = await send('checkOperator', { text })
    expect(check).toMatchObject({ replaces: { endingOrigins: ['https://one.example'] } })
    expect((await send('addOperator', { text, replacing: OPERATOR })).reasons).toBeUndefined()
    const left = (await listAllGrants()).map(({ grantId }) => grantId)
    expect(left).toEqual([ofB.grantId])
    await deleteGrant(ofB)
  })
})

describe('F05: the browser’s policy', () => {
  afterEach(async () => {
    await storage.managed.clear()
    reportPolicyChange()
  })

  /** Describes the operators without the demonstration, which is not there. */
  async function describePolicy() {
    const { rejected, ...others } = await describeOperators()
    return { ...others, rejected: rejected.filter(({ source }) => source === 'policy') }
  }

  test('brings profiles as texts, of which a wrong type rejects one alone, with the reason', async () => {
    const wrong = { ...OPERATOR, issuer: 'https://b.example', networkAuthentication: 'true' }
    await storage.managed.set({ operatorFiles: [TEXT, JSON.stringify(wrong), '{'] })
    reportPolicyChange()
    const { operators, rejected, policy } = await describePolicy()
    expect(operators.map(({ profile, source }) => [profile.issuer, source])).toEqual([
      [ISSUER, 'policy'],
    ])
    expect(rejected).toMatchObject([
      { name: 'Operator', reasons: ['networkAuthentication: expected boolean'] },
      { name: 'Profile 3', reasons: ['file: expected JSON'] },
    ])
    expect(policy).toEqual([{ key: 'operatorFiles', profiles: 3 }])
  })

  test('may have both keys, and its operators are those of both', async () => {
    const other = { ...OPERATOR, issuer: 'https://b.example' }
    await storage.managed.set({ operators: [OPERATOR], operatorFiles: [JSON.stringify(other)] })
    reportPolicyChange()
    const { operators, policy } = await describeOperators()
    expect(operators.map(({ profile }) => profile.issuer)).toEqual([ISSUER, 'https://b.example'])
    expect(policy).toEqual([
      { key: 'operators', profiles: 1 },
      { key: 'operatorFiles', profiles: 1 },
    ])
  })

  test('of another type than a list is rejected, and is shown as what came', async () => {
    await storage.managed.set({ operators: { issuer: ISSUER }, operatorFiles: [TEXT] })
    reportPolicyChange()
    const { operators, rejected, policy } = await describePolicy()
    expect(operators).toHaveLength(1)
    expect(rejected).toHaveLength(1)
    expect(policy).toEqual([{ key: 'operators' }, { key: 'operatorFiles', profiles: 1 }])
  })

  test('leaves a trace in the log, with the number of operators and of rejected profiles', async () => {
    await log.clear()
    await storage.managed.set({ operators: [OPERATOR, { ...OPERATOR, name: 'Twice' }] })
    reportPolicyChange()
    await vi.waitFor(async () => {
      const entries = await log.read()
      expect(entries[0]?.outcome).toBe('policy: 1 operators, 1 rejected')
    }, WITHIN_MS)
  })
})

test('H25f: each operator is shown with its redirect URI in each browser', async () => {
  await addOperator(TEXT)
  const [operator] = (await describeOperators()).operators
  expect(operator?.redirectUris).toEqual({
    chromium: await redirectUriFor(REDIRECT_BASE.chromium, ISSUER),
    firefox: await redirectUriFor(REDIRECT_BASE.firefox, ISSUER),
  })
})

describe('a server that the metadata name later', () => {
  beforeEach(async () => {
    await addOperator(TEXT)
    await expect(discoverServer(await getOperator())).resolves.toMatchObject(METADATA)
    metadata.token_endpoint = `${ELSEWHERE}/token`
  })

  test('A01: is an error before anything is sent to it, and is shown', async () => {
    await expect(discoverServer(await getOperator())).rejects.toMatchObject({
      code: 'invalid_metadata',
    })
    expect(requests.some((url) => url.startsWith(ELSEWHERE))).toBe(false)
    const [operator] = (await describeOperators()).operators
    expect(operator?.unnamed).toEqual({
      additions: { serverOrigins: [ELSEWHERE] },
      permissions: [
        'https://operator.example/*',
        `${ELSEWHERE}/*`,
        'https://a.example/*',
        'https://b.example/*',
      ],
    })
  })

  test('A01: is used once the user has confirmed it and the browser has given the permission', async () => {
    const additions = { serverOrigins: [ELSEWHERE] }
    expect((await addConfirmedServers(ISSUER, additions)).reasons?.[0]).toContain(ELSEWHERE)
    expect((await getOperator()).serverOrigins).toBeUndefined()
    given.add(`${ELSEWHERE}/*`)
    expect((await addConfirmedServers(ISSUER, additions)).reasons).toBeUndefined()
    await expect(discoverServer(await getOperator())).resolves.toMatchObject(metadata)
    const [operator] = (await describeOperators()).operators
    expect(operator?.unnamed).toBeUndefined()
  })

  test('A01: is no longer shown when the metadata do not name it any more', async () => {
    await expect(discoverServer(await getOperator())).rejects.toThrow()
    metadata.token_endpoint = METADATA.token_endpoint
    await discoverServer(await getOperator())
    expect((await describeOperators()).operators[0]?.unnamed).toBeUndefined()
  })

  test('A01: of an operator of the policy cannot be confirmed by the user', async () => {
    await removeOperator(ISSUER)
    await storage.managed.set({ operators: [OPERATOR] })
    await removeOperator(ISSUER)
    given.add(`${ELSEWHERE}/*`)
    const check = await addConfirmedServers(ISSUER, { serverOrigins: [ELSEWHERE] })
    expect(check.reasons).toEqual(['issuer: expected an operator that was imported from a file'])
    await storage.managed.clear()
  })
})
