/**
 * Tests the end of host permissions (A11h) and of the questions for them (A11i): what the user gave for a
 * site or an operator is removed when nothing needs it any more, and a question that was answered with no,
 * or that is over, switches no site on.
 *
 * Seen to fail when `removeOperator`, a rejected import and the housekeeping remove no permission (the hosts
 * stayed), when a proposal is ended by `useSite` and by its age alone (the declined site was on after the
 * next permission), when a question ends before its site is on (the housekeeping took the permission away), and when a
 * revocation that is still to be sent does not count.
 */

import 'fake-indexeddb/auto'
import fake, { reportPolicyChange, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { clear, createStore } from 'idb-keyval'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { revokeTokens } from '../../../../extension/background/grants/revocations.ts'
import { isAnswer } from '../../../../extension/background/lifecycle/permission-request.ts'
import { handlePermissionAdded } from '../../../../extension/background/lifecycle/site-changes.ts'
import { runHousekeeping } from '../../../../extension/background/lifecycle/startup-cleanup.ts'
import {
  removeUnneededPermissions,
  selectUnneeded,
} from '../../../../extension/background/lifecycle/unneeded-permissions.ts'
import { listHostPermissions } from '../../../../extension/background/operators/host-permissions.ts'
import { listOperators } from '../../../../extension/background/operators/operators.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'
import { PERMISSION_REQUEST_LIFETIME_MS } from '../../../../extension/limits.ts'
import type { ServerMetadata } from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import type {
  OperatorCheck,
  ScreenMethod,
  ScreenMethods,
  Site,
} from '../../../../shared/messages/screen-channel.ts'
import { MANIFEST_HOST, useHostAccess } from '../../support/host-access.ts'
import { ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'

const SITE_HOST = `${ORIGIN}/*`
const HOSTS = listHostPermissions(OPERATOR)
const OTHER: OperatorProfile = {
  ...OPERATOR,
  issuer: 'https://other-as.example',
  name: 'Other operator',
}
const SHARED_HOST = 'https://api.example/*'

const sites = createStore('northkey-sites', 'sites')

let given: Set<string>

const send = <M extends ScreenMethod>(method: M, params: ScreenMethods[M]['params']) =>
  handleScreenRequest({ type: 'screenRequest', method, params }) as Promise<
    ScreenMethods[M]['result']
  >

/** The user imports an operator and answers the browser's question with yes. */
async function importOperator(profile: OperatorProfile): Promise<OperatorCheck> {
  const permissions = listHostPermissions(profile)
  await send('openPermissionRequest', { permissions })
  for (const pattern of permissions) given.add(pattern)
  await handlePermissionAdded(permissions)
  return send('addOperator', { text: JSON.stringify(profile) })
}

async function switchOn(): Promise<Site> {
  const { permissions } = await send('getSite', { origin: ORIGIN })
  await send('openPermissionRequest', { permissions, site: { origin: ORIGIN } })
  const added = permissions.filter((pattern) => !given.has(pattern))
  for (const pattern of added) given.add(pattern)
  await handlePermissionAdded(added)
  return send('getSite', { origin: ORIGIN })
}

const listGiven = () => [...given].filter((pattern) => pattern !== MANIFEST_HOST).sort()

beforeEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  given = useHostAccess()
  await storage.session.clear()
  for (const { issuer } of await listOperators()) await send('removeOperator', { issuer })
  for (const { origin } of await send('listSites', {})) await send('stopSite', { origin })
  await clear(sites)
})

describe('A11h: the host permissions of an operator', () => {
  test('are removed with it', async () => {
    await importOperator(OPERATOR)
    expect(listGiven()).toEqual([...HOSTS].sort())
    const { permissions } = await send('removeOperator', { issuer: ISSUER })
    expect(listGiven()).toEqual([])
    expect(permissions.sort()).toEqual([...HOSTS].sort())
  })

  test('stay as far as another operator needs them', async () => {
    await importOperator(OPERATOR)
    await importOperator(OTHER)
    await send('removeOperator', { issuer: ISSUER })
    expect(listGiven()).toEqual([SHARED_HOST, 'https://other-as.example/*'])
  })

  test('stay as far as a site needs them', async () => {
    const origin = 'https://api.example'
    await importOperator(OPERATOR)
    await send('useSite', { origin })
    await send('removeOperator', { issuer: ISSUER })
    expect(listGiven()).toEqual([SHARED_HOST])
    await send('stopSite', { origin })
    expect(listGiven()).toEqual([])
  })

  test('are removed if the operator is not added after all', async () => {
    await importOperator(OPERATOR)
    const check = await importOperator({
      ...OTHER,
      issuer: ISSUER,
      capif: {
        apiRoot: 'https://capif.example',
      },
    })
    expect(check.reasons).toBeDefined()
    expect(listGiven()).toEqual([...HOSTS].sort())
  })

  test('are removed if the policy no longer names it, and if the policy names other hosts', async () => {
    const policy = vi.spyOn(storage.managed, 'get')
    await importOperator(OTHER)
    for (const pattern of HOSTS) given.add(pattern)
    policy.mockResolvedValue({ operators: [OPERATOR] })
    reportPolicyChange()
    await runHousekeeping()
    expect(listGiven()).toEqual(expect.arrayContaining([...HOSTS]))
    policy.mockResolvedValue({ operators: [] })
    reportPolicyChange()
    await runHousekeeping()
    expect(listGiven()).toEqual([...listHostPermissions(OTHER)].sort())
  })

  test('stay while the profiles cannot be read', async () => {
    await importOperator(OPERATOR)
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const { getAll } = IDBObjectStore.prototype
    vi.spyOn(IDBObjectStore.prototype, 'getAll').mockImplementation(function (
      this: IDBObjectStore,
    ) {
      if (this.name === 'operators') throw new DOMException('broken', 'UnknownError')
      return getAll.call(this)
    })
    reportPolicyChange()
    await removeUnneededPermissions()
    expect(listGiven()).toEqual([...HOSTS].sort())
  })

  test('stay until its server has received each revocation', async () => {
    const revocation_endpoint = `${ISSUER}/revoke`
    await importOperator(OPERATOR)
    const network = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('no network'))
    const metadata = { issuer: ISSUER, revocation_endpoint } as ServerMetadata
    const owner = { issuer: ISSUER, origin: ORIGIN, clientId: 'client' }
    await revokeTokens(owner, { metadata, refreshToken: 'R', accessTokens: [] })
    await send('removeOperator', { issuer: ISSUER })
    expect(listGiven()).toEqual([...HOSTS].sort())

    network.mockImplementation(async () => new Response())
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    await runHousekeeping()
    expect(network).toHaveBeenLastCalledWith(revocation_endpoint, expect.anything())
    expect(listGiven()).toEqual([])
  })

  test('stay while the user answers the next question about them', async () => {
    await send('openPermissionRequest', { permissions: [...HOSTS] })
    for (const pattern of HOSTS) given.add(pattern)
    await runHousekeeping()
    expect(listGiven()).toEqual([...HOSTS].sort())
    await send('endPermissionRequest', {})
    expect(listGiven()).toEqual([])
  })

  test.each([
    ['https://a.example/*', true],
    ['https://*.example/*', false],
    ['https://*/*', false],
    ['<all_urls>', false],
    [MANIFEST_HOST, false],
  ])('the pattern %s is removed: %s', (pattern, isRemoved) => {
    expect(selectUnneeded([pattern], [MANIFEST_HOST])).toEqual(isRemoved ? [pattern] : [])
  })
})

describe('A11i: a site that was proposed', () => {
  test('is on after a yes, also without the popup', async () => {
    expect(await switchOn()).toMatchObject({ state: 'on' })
    expect(listGiven()).toEqual([SITE_HOST])
  })

  test('keeps its permission while it is switched on, though the housekeeping runs then', async () => {
    await send('openPermissionRequest', { permissions: [SITE_HOST], site: { origin: ORIGIN } })
    given.add(SITE_HOST)
    const has = async ({ origins }: { origins: string[] }) =>
      origins.every((pattern) => given.has(pattern))
    const contains = vi.spyOn(fake.permissions, 'contains').mockImplementation(async (asked) => {
      contains.mockImplementation(has)
      await removeUnneededPermissions()
      return has(asked)
    })
    await handlePermissionAdded([SITE_HOST])
    expect(await send('getSite', { origin: ORIGIN })).toMatchObject({ state: 'on' })
    expect(listGiven()).toEqual([SITE_HOST])
  })

  test('stays off after a no, whatever permission comes later', async () => {
    const proposal = { permissions: [SITE_HOST], site: { origin: ORIGIN } }
    await send('openPermissionRequest', proposal)
    await send('endPermissionRequest', {})
    given.add(SITE_HOST)
    await handlePermissionAdded([SITE_HOST])
    expect(await send('getSite', { origin: ORIGIN })).toMatchObject({ state: 'off' })
  })

  test('stays off if the popup is gone and another screen asks for the same host', async () => {
    const operator = {
      ...OPERATOR,
      issuer: ORIGIN,
      apis: [{ ...OPERATOR.apis[0], resource: ORIGIN }],
    }
    await send('openPermissionRequest', { permissions: [SITE_HOST], site: { origin: ORIGIN } })
    await importOperator(operator as OperatorProfile)
    expect(await send('getSite', { origin: ORIGIN })).toMatchObject({ state: 'off' })
  })

  test('stays off if the next permission answers another question', async () => {
    await send('openPermissionRequest', { permissions: [SITE_HOST], site: { origin: ORIGIN } })
    given.add(SITE_HOST)
    await handlePermissionAdded(['https://elsewhere.example/*', SITE_HOST])
    await handlePermissionAdded([SITE_HOST])
    expect(await send('getSite', { origin: ORIGIN })).toMatchObject({ state: 'off' })
  })

  test('stays off after a yes that comes too late, and its permission is removed', async () => {
    await send('openPermissionRequest', { permissions: [SITE_HOST], site: { origin: ORIGIN } })
    const now = Date.now() + PERMISSION_REQUEST_LIFETIME_MS + 1
    vi.useFakeTimers({ toFake: ['Date'], now })
    given.add(SITE_HOST)
    await handlePermissionAdded([SITE_HOST])
    expect(await send('getSite', { origin: ORIGIN })).toMatchObject({ state: 'off' })
    expect(listGiven()).toEqual([])
  })

  test.each([
    ['the patterns that were missing', ['a', 'b'], ['b'], ['b'], true],
    ['all patterns of the question', ['a', 'b'], ['b'], ['a', 'b'], true],
    ['fewer than were missing', ['a', 'b'], ['a', 'b'], ['b'], false],
    ['more than were asked for', ['a'], ['a'], ['a', 'c'], false],
    ['a pattern, where none was missing', ['a'], [], ['a'], false],
  ])('an answer with %s counts: %#', (_, permissions, missing, added, counts) => {
    expect(isAnswer({ permissions, missing, at: 0 }, added)).toBe(counts)
  })
})
