/**
 * What becomes of the tokens of one grant: a late answer, a refresh token that somebody else used, and
 * a page that asks for less than it was granted.
 *
 * Seen to fail when `keep` in `extension/background/tokens/token-renewal.ts` does not ask `hasEnded` (C18: the late
 * tokens are stored and not revoked), when `refresh` keeps the access tokens after `invalid_grant`
 * (C11), and when `accessTokenOf` looks in the slot of the resource whatever the scope (C02).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { LogEntry } from '../../demo-site/network/index.ts'
import {
  type AccessToken,
  type ConnectParams,
  ERROR_CODE,
  type Grant,
} from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import {
  BROWSERS,
  type Called,
  CLIENT_ID,
  call,
  connect,
  databaseText,
  formOf,
  openScreen,
  type Stage,
  startStage,
  tokenRequests,
} from './support/stage.ts'

/** More than any token has: such a call renews one that is not of this very second. */
const RENEWED = { minValiditySeconds: 3_600 }

describe.each(BROWSERS)('in %s, the tokens of a grant', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name, {
      operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
    })
    page = await stage.open()
  })
  afterEach(async () => {
    stage.network.faults.clear()
    await call(page, 'northbound_revoke')
    stage.network.log.clear()
  })
  afterAll(() => stage?.close())

  async function granted(wish: ConnectParams): Promise<Grant> {
    await gesture(page)
    const { result, error } = await connect(stage, page, wish)
    if (!result) throw new Error(`no grant: ${error.message}`)
    return result
  }

  const tokenOf = (params: object): Promise<Called<AccessToken>> =>
    call(page, 'northbound_getAccessToken', params)

  async function renewalOf(grantId: string, resource?: string) {
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    return { renewing: tokenOf({ grantId, ...(resource && { resource }), ...RENEWED }) }
  }

  const refreshes = (): LogEntry[] =>
    tokenRequests(stage).filter((entry) => formOf(entry).grant_type === 'refresh_token')

  const revoked = (): unknown[] =>
    stage.network.log
      .filter({ method: 'POST', path: /\/token\/revocation$/ })
      .map((entry) => formOf(entry).token)

  async function expectNoTokenStored(): Promise<void> {
    const screen = await openScreen(stage)
    await expect.poll(async () => (await databaseText(screen)).tokens).toEqual([])
    await screen.close()
  }

  /** APIs of an operator, each with one of its scopes. */
  function apisOf(profile: string): { issuer: string; apis: ConnectParams['apis'] } {
    const operator = stage.network.operatorProfiles.find((one) => one.profile === profile)
    const apis = (operator?.apis ?? []).map(({ resource, scopes: [first], purposes }) => ({
      resource,
      scope: first?.scope ?? '',
      ...(profile === 'camara' && { purpose: purposes?.[0] ?? '' }),
    }))
    return { issuer: operator?.issuer ?? '', apis }
  }

  test('C18: revoked while a refresh is on its way, the late tokens are not stored, and revoked too', async () => {
    const { grantId } = await granted(stage.wish({ mode: 'token' }))
    stage.network.faults.add({ path: '/token', action: { type: 'drip', bytesPerSecond: 250 } })
    const { renewing } = await renewalOf(grantId)
    await expect.poll(() => tokenRequests(stage).at(-1)?.fault, { timeout: 5_000 }).toBe('drip')
    const { result } = await call<{ revoked: string[] }>(page, 'northbound_revoke', { grantId })
    expect(result?.revoked).toEqual([grantId])
    expect((await renewing).error).toMatchObject({ code: ERROR_CODE.noGrant })
    const [old] = revoked()
    expect(old).toBe(formOf(refreshes()[0]).refresh_token)
    await expect.poll(() => new Set(revoked()).size).toBe(2)
    await expectNoTokenStored()
  })

  test('C18: nor does a refresh that fails late bring back what was revoked', async () => {
    const { grantId } = await granted(stage.wish({ mode: 'token' }))
    const fault = stage.network.faults.add({ path: '/token', action: { type: 'hang' } })
    const { renewing } = await renewalOf(grantId)
    await expect.poll(() => tokenRequests(stage).at(-1)?.fault, { timeout: 5_000 }).toBe('hang')
    await call(page, 'northbound_revoke', { grantId })
    stage.network.faults.remove(fault)
    expect((await renewing).error).toMatchObject({ code: ERROR_CODE.noGrant })
    await expectNoTokenStored()
  })

  test('C11: once the operator has seen a refresh token twice, all tokens of that grant are dropped, and no others', async () => {
    const [first, second] = apisOf('oauth').apis
    if (!first || !second) return expect.unreachable('two APIs')
    const { issuer, apis } = apisOf('camara')
    const other = await granted({ issuer, mode: 'token', apis: apis.slice(0, 1) })
    const untouched = await tokenOf({ grantId: other.grantId })
    const { grantId } = await granted(stage.wish({ mode: 'token', apis: [first, second] }))
    const cached = await tokenOf({ grantId, resource: second.resource })
    expect(cached.error).toBeUndefined()

    // Somebody else sends the refresh token that the broker has used.
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: String(formOf(refreshes()[0]).refresh_token),
    })
    const stolen = await fetch(`${stage.network.issuer}/token`, { method: 'POST', body })
    expect(await stolen.json()).toMatchObject({ error: 'invalid_grant' })

    // Without a silent authorization, which would bring new ones.
    const headers = { 'content-type': 'text/html' }
    const action = { type: 'status', status: 200, headers, body: 'Who are you?' } as const
    stage.network.faults.add({ path: '/auth', action })
    const { renewing } = await renewalOf(grantId, first.resource)
    expect((await renewing).error?.code).toBe(ERROR_CODE.interactionRequired)
    const { error } = await tokenOf({ grantId, resource: second.resource })
    expect(error?.code).toBe(ERROR_CODE.interactionRequired)
    expect(untouched.error).toBeUndefined()
    expect(await tokenOf({ grantId: other.grantId })).toEqual(untouched)
  })

  test('C02: a page that asks for less gets a token for less, and not the one with more', async () => {
    const { issuer, apis } = apisOf('camara')
    const operator = stage.network.operatorProfiles.find((one) => one.issuer === issuer)
    const [api] = operator?.apis.filter(({ scopes }) => scopes.length > 2) ?? []
    const [one, two] = api?.scopes.map(({ scope }) => scope) ?? []
    const [wish] = apis.filter(({ resource }) => resource === api?.resource)
    if (!wish || !one || !two) return expect.unreachable('an API with two scopes')
    const both = { issuer, mode: 'token' as const, apis: [{ ...wish, scope: `${one} ${two}` }] }
    const { grantId } = await granted(both)
    const all = (await tokenOf({ grantId })).result
    expect(all?.scope.split(' ')).toEqual(expect.arrayContaining([one, two]))
    expect(refreshes()).toEqual([])

    const less = (await tokenOf({ grantId, scope: one })).result
    expect(less?.scope.split(' ')).not.toContain(two)
    expect(less?.accessToken).not.toBe(all?.accessToken)
    expect(refreshes().map((entry) => formOf(entry).scope)).toEqual([one])

    // Each is at hand from now on.
    expect((await tokenOf({ grantId, scope: one })).result).toEqual(less)
    expect((await tokenOf({ grantId, scope: `${two} ${one}` })).result).toEqual(all)
    expect(refreshes()).toHaveLength(1)
  })

  test('C02: of two APIs in one grant, the token for one does not serve the other', async () => {
    const { issuer, apis } = apisOf('camara')
    const [first, second] = apis.filter(({ scope }) => !scope.includes('number'))
    if (!first || !second) return expect.unreachable('two APIs')
    const { grantId } = await granted({ issuer, mode: 'token', apis: [first, second] })
    for (const [wanted, unwanted] of [
      [first, second],
      [second, first],
    ] as const) {
      const { result } = await tokenOf({ grantId, resource: wanted.resource })
      expect(result?.scope.split(' ')).toContain(wanted.scope)
      expect(result?.scope.split(' ')).not.toContain(unwanted.scope)
    }
  })
})
