/**
 * Tests the import of operators: an operator is added only with the browser's permission for all of its servers,
 * including those that its metadata name. The metadata come from a double of `fetch`; the stores are real, on an
 * in-memory IndexedDB.
 *
 * Seen to fail when an operator is stored without a look at the permissions, when the discovery does not add the
 * servers to the profile, when a server that appears later is used, and when an issuer with a slash more is taken.
 */

import 'fake-indexeddb/auto'
import fake, { storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { A, B, ISSUER, METADATA } from '../../support/operator.ts'

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
      isDiscovered: true,
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
    expect(await discoverOperator(TEXT)).toMatchObject({ isDiscovered: false, profile: OPERATOR })
  })

  test.each([
    ['with a slash more', `${ISSUER}/`],
    ['of the same letters', ISSUER],
  ])('A09: with the issuer of another operator %s is rejected', async (_, issuer) => {
    await addOperator(TEXT)
    const check = await addOperator(JSON.stringify({ ...OPERATOR, issuer, name: 'Evil' }))
    expect(check.reasons?.[0]).toContain('issuer: expected one that no other profile has')
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
