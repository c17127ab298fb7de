/**
 * Tests login fixation: an attacker wants the user to work with the attacker's account, and puts the response
 * to the attacker's own sign-in into the user's sign-in window.
 *
 * Seen to fail when `validateAuthorizationResponse` accepts any state (the first), when the attacker knows
 * the verifier (the second), and when a grant is stored before the user has signed in, or the operator's page
 * names no account (the third).
 *
 * @see R18 of the catalogue
 * @see RFC 9700 section 4.7
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { beginSignIn } from '../browser/support/sign-in-window.ts'
import {
  authorizationRequests,
  call,
  databaseText,
  openScreen,
  type Stage,
  tokenRequests,
} from '../browser/support/stage.ts'
import { signInAndAllow } from '../network/support/client.ts'
import { ScriptedBrowser } from '../network/support/scripted-browser.ts'

const VERIFIER = 'the-attackers-own-verifier-of-43-characters'

/** Returns the response to the attacker's own flow, for the same client and in another browser. */
async function attackersResponse(stage: Stage): Promise<URL> {
  const url = new URL(`${stage.network.issuer}/auth`)
  for (const [member, value] of Object.entries(authorizationRequests(stage)[0]?.query ?? {})) {
    url.searchParams.set(member, String(value))
  }
  url.searchParams.set('state', 'the-state-of-the-attacker')
  const challenge = createHash('sha256').update(VERIFIER).digest('base64url')
  url.searchParams.set('code_challenge', challenge)
  const { phoneNumber, password } = stage.network.subscribers.all[1] ?? {}
  const credentials = { phone_number: phoneNumber ?? '', password: password ?? '' }
  const { url: response } = await signInAndAllow(new ScriptedBrowser(), url, credentials)
  expect(response.searchParams.get('code')).not.toBeNull()
  return response
}

const show = (operator: Page, response: URL) =>
  operator.evaluate((address) => location.assign(address), response.href).catch(() => {})

async function expectNothingStored(stage: Stage, page: Page): Promise<void> {
  expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  const screen = await openScreen(stage)
  expect((await databaseText(screen)).tokens ?? []).toEqual([])
}

describe('an account that is not the user’s', () => {
  test('R18: the response of the attacker’s own flow, in the user’s window, is refused before its code is sent', async ({
    stage,
    page,
  }) => {
    const { outcome, operator } = await beginSignIn(stage, page)
    await show(operator, await attackersResponse(stage))
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.untrustedResponse,
      data: { error: 'state_mismatch' },
    })
    expect(tokenRequests(stage)).toEqual([])
    await expectNothingStored(stage, page)
  })

  test('R18: even with the state of the user’s flow, the attacker’s code is worth nothing in it', async ({
    stage,
    page,
  }) => {
    const { outcome, operator } = await beginSignIn(stage, page)
    const state = String(authorizationRequests(stage)[0]?.query.state)
    const response = await attackersResponse(stage)
    response.searchParams.set('state', state)
    await show(operator, response)
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.authorizationServerError,
      data: { error: 'invalid_grant' },
    })
    expect(tokenRequests(stage)).toHaveLength(1)
    await expectNothingStored(stage, page)
  })

  test('R18: the operator names the account before the user allows anything, and nothing is stored until then', async ({
    stage,
    page,
  }) => {
    const { outcome, operator } = await beginSignIn(stage, page)
    const { subscriber } = stage
    await operator.type('[name=phone_number]', subscriber.phoneNumber)
    await operator.type('[name=password]', subscriber.password)
    await operator.click('[data-form=password] [type=submit]')
    await operator.waitForSelector('[data-form=consent]')
    const text = await operator.evaluate(() => document.body.innerText)
    expect(text).toContain(subscriber.name)
    expect(text).toContain(subscriber.phoneNumber)
    await expectNothingStored(stage, page)
    await operator.bringToFront()
    await operator.click('[data-form=consent] [value=allow]')
    expect((await outcome).result).toBeDefined()
  })
})
