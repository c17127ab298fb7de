/**
 * Tests the tokens of a grant: a late response, a refresh token that another client used, and a page that
 * requests less scope than it was granted.
 *
 * Seen to fail when:
 * - `saveRecord` in `extension/background/grants/token-records.ts` does not call `hasGrantEnded` (C18: the
 *   late tokens are stored and not revoked);
 * - `refreshAccessToken` keeps the access tokens after `invalid_grant` (C11);
 * - `obtainAccessToken` ignores the scope when it looks for the token of a resource (C02).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { type ConnectParams, ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { connectQuickly } from './support/known-subscriber.ts'
import { wishForAll } from './support/operator-wish.ts'
import { until } from './support/pages.ts'
import {
  CLIENT_ID,
  call,
  databaseText,
  formOf,
  openScreen,
  type Stage,
  tokenRequests,
} from './support/stage.ts'
import { getAccessToken, RENEWED, refreshRequests, refreshTokensSent } from './support/tokens.ts'

const test = base
  .extend('options', { operator: { onboarding: 'preregistered', clientAuthentication: 'none' } })
  .extend('wish', { mode: 'token' })

async function grantOf(stage: Stage, page: Page, wish: ConnectParams): Promise<Grant> {
  const { result, error } = await connectQuickly(stage, page, { ...wish, mode: 'token' })
  if (!result) throw new Error(`no grant: ${error.message}`)
  return result
}

const revokedTokens = ({ network }: Stage): unknown[] =>
  network.log
    .filter({ method: 'POST', path: /\/token\/revocation$/ })
    .map((entry) => formOf(entry).token)

async function expectNoTokenStored(stage: Stage): Promise<void> {
  const screen = await openScreen(stage)
  await expect.poll(async () => (await databaseText(screen)).tokens).toEqual([])
}

describe('a grant that is revoked while a refresh is in flight', () => {
  test('C18: revoked while a refresh is on its way, the late tokens are not stored, and revoked too', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    const { faults, log } = stage.network
    log.clear()
    const held = faults.add({ path: '/token', action: { type: 'hold', before: 'answering' } })
    const renewing = getAccessToken(page, { grantId, ...RENEWED })
    await until('the refresh', async () => tokenRequests(stage).length === 1)
    const { result } = await call<{ revoked: string[] }>(page, 'northbound_revoke', { grantId })
    expect(result?.revoked).toEqual([grantId])
    faults.remove(held)
    expect((await renewing).error).toMatchObject({ code: ERROR_CODE.noGrant })
    await expect.poll(() => new Set(revokedTokens(stage)).size).toBe(2)
    expect(revokedTokens(stage)[0]).toBe(refreshTokensSent(stage)[0])
    await expectNoTokenStored(stage)
  })

  test('C18: nor does a refresh that fails late bring back what was revoked', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    const { faults, log } = stage.network
    log.clear()
    const fault = faults.add({ path: '/token', action: { type: 'hang' } })
    const renewing = getAccessToken(page, { grantId, ...RENEWED })
    await until('the refresh', async () => tokenRequests(stage).length === 1)
    await call(page, 'northbound_revoke', { grantId })
    faults.remove(fault)
    expect((await renewing).error).toMatchObject({ code: ERROR_CODE.noGrant })
    await expectNoTokenStored(stage)
  })
})

describe('the tokens of a grant', () => {
  test('C11: once the operator has seen a refresh token twice, all tokens of that grant are dropped, and no others', async ({
    stage,
    page,
  }) => {
    const [first, second] = wishForAll(stage, 'oauth').apis
    if (!first || !second) return expect.unreachable('two APIs')
    const { issuer, apis } = wishForAll(stage, 'camara')
    const otherGrant = await grantOf(stage, page, { issuer, apis: apis.slice(0, 1) })
    const untouched = await getAccessToken(page, { grantId: otherGrant.grantId })
    const { grantId } = await grantOf(stage, page, stage.wish({ apis: [first, second] }))
    const cached = await getAccessToken(page, { grantId, resource: second.resource })
    expect(cached.error).toBeUndefined()

    // Another client sends the refresh token that the broker has used.
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: String(refreshTokensSent(stage)[0]),
    })
    const stolen = await fetch(`${stage.network.issuer}/token`, { method: 'POST', body })
    expect(await stolen.json()).toMatchObject({ error: 'invalid_grant' })

    // No silent authorization brings new tokens: the operator has not identified the subscriber.
    const renewed = await getAccessToken(page, { grantId, resource: first.resource, ...RENEWED })
    expect(renewed.error?.code).toBe(ERROR_CODE.interactionRequired)
    const { error } = await getAccessToken(page, { grantId, resource: second.resource })
    expect(error?.code).toBe(ERROR_CODE.interactionRequired)
    expect(untouched.error).toBeUndefined()
    expect(await getAccessToken(page, { grantId: otherGrant.grantId })).toEqual(untouched)
  })

  test('C02: a page that asks for less gets a token for less, and not the one with more', async ({
    stage,
    page,
  }) => {
    const { issuer, apis } = wishForAll(stage, 'camara', 2)
    const api = apis.find(({ scope }) => scope.includes(' '))
    if (!api) return expect.unreachable('an API with two scopes')
    const [one = '', two = ''] = api.scope.split(' ')
    const { grantId } = await grantOf(stage, page, { issuer, apis: [api] })
    const all = (await getAccessToken(page, { grantId })).result
    expect(all?.scope.split(' ')).toEqual(expect.arrayContaining([one, two]))
    expect(refreshRequests(stage)).toEqual([])

    const less = (await getAccessToken(page, { grantId, scope: one })).result
    expect(less?.scope.split(' ')).not.toContain(two)
    expect(less?.accessToken).not.toBe(all?.accessToken)
    expect(refreshRequests(stage).map((entry) => formOf(entry).scope)).toEqual([one])

    // Both tokens are cached from now on.
    expect((await getAccessToken(page, { grantId, scope: one })).result).toEqual(less)
    expect((await getAccessToken(page, { grantId, scope: `${two} ${one}` })).result).toEqual(all)
    expect(refreshRequests(stage)).toHaveLength(1)
  })

  test('C02: of two APIs in one grant, the token for one does not serve the other', async ({
    stage,
    page,
  }) => {
    const { issuer, apis } = wishForAll(stage, 'camara')
    const [first, second] = apis.filter(({ scope }) => !scope.includes('number'))
    if (!first || !second) return expect.unreachable('two APIs')
    const { grantId } = await grantOf(stage, page, { issuer, apis: [first, second] })
    for (const [wanted, unwanted] of [
      [first, second],
      [second, first],
    ] as const) {
      const { result } = await getAccessToken(page, { grantId, resource: wanted.resource })
      expect(result?.scope.split(' ')).toContain(wanted.scope)
      expect(result?.scope.split(' ')).not.toContain(unwanted.scope)
    }
  })
})
