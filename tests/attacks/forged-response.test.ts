/**
 * Tests authorization responses that the operator did not send: errors without a sender, error descriptions
 * with markup, and addresses that resemble the redirect URI.
 *
 * Seen to fail when `validateAuthorizationResponse` compares neither `iss` nor the redirect URI, when the
 * text of an error is passed on unchanged, and when a response is accepted in any tab.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { changeMetadata } from '../browser/support/faults.ts'
import { addressOf, until } from '../browser/support/pages.ts'
import { beginSignIn, forgeResponse } from '../browser/support/sign-in-window.ts'
import {
  atRedirectHost,
  openScreen,
  type Stage,
  signIn,
  tokenRequests,
} from '../browser/support/stage.ts'

const MARKUP = '<img src=x onerror=location=1>'
const LONG = 'x'.repeat(2_000)

// A forger's own tab may request the host of the redirect URI like any other host.
test.afterEach(({ stage }) => {
  expect(atRedirectHost(stage).filter((url) => url.includes('code='))).toEqual([])
})

/** Sends an authorization response to another address, and returns that address. */
async function forgeAt(
  stage: Stage,
  operator: Page,
  change: (redirect: URL) => string,
): Promise<URL> {
  let arrival: URL | undefined
  await forgeResponse(stage, operator, (response, redirect) => {
    const query = response.toString()
    redirect.href = `${change(new URL(redirect.href))}?${query}`
    arrival = new URL(redirect.href)
  })
  if (!arrival) throw new Error('no address')
  return arrival
}

describe('a forged response', () => {
  test('R14: an error without state and issuer is not taken for the operator’s word', async ({
    stage,
    page,
  }) => {
    const { outcome, operator } = await beginSignIn(stage, page)
    await forgeResponse(stage, operator, (response) => {
      for (const name of ['code', 'state', 'iss']) response.delete(name)
      response.set('error', 'access_denied')
    })
    const { error } = await outcome
    expect(error).toMatchObject({
      code: ERROR_CODE.untrustedResponse,
      data: { error: 'issuer_mismatch' },
    })
    expect(JSON.stringify(error)).not.toContain('access_denied')
  })

  test('R14: an error in another tab ends no flow, whatever it knows', async ({ stage, page }) => {
    const { outcome } = await beginSignIn(stage, page)
    for (const known of [['state', 'iss'], ['iss'], []]) {
      const otherPage = await stage.open()
      await forgeResponse(stage, otherPage, (response) => {
        for (const name of ['code', 'state', 'iss']) {
          if (!known.includes(name)) response.delete(name)
        }
        response.set('error', 'access_denied')
      })
      await otherPage.close()
    }
    await signIn(stage)
    const { result } = await outcome
    expect(result).toMatchObject({ issuer: stage.network.issuer })
  })

  test('R11: another issuer is refused where the server does not say that it names itself', async ({
    stage,
    page,
  }) => {
    await changeMetadata(stage.network, (metadata) => {
      metadata.authorization_response_iss_parameter_supported = false
    })
    const { outcome, operator } = await beginSignIn(stage, page)
    await forgeResponse(stage, operator, (r) => r.set('iss', 'https://evil.example'))
    expect((await outcome).error?.data.error).toBe('issuer_mismatch')
    expect(tokenRequests(stage)).toEqual([])
  })

  test('R21, R28: the words of an error reach page and screens as inert text, and no address is opened', async ({
    stage,
    page,
  }) => {
    const { outcome, operator } = await beginSignIn(stage, page)
    await forgeResponse(stage, operator, (response) => {
      response.delete('code')
      response.set('error', MARKUP)
      response.set('error_description', `${MARKUP}\u202egnp.exe "quoted" ${LONG}`)
      for (const target of ['error_uri', 'return_to', 'redirect_uri', 'target_link_uri', 'url']) {
        response.set(target, 'https://evil.example/help')
      }
    })
    const { error } = await outcome
    expect(error?.code).toBe(ERROR_CODE.authorizationServerError)
    const description = error?.data.errorDescription ?? ''
    expect(description).toMatch(/^[\x20-\x7e]{1,300}$/)
    expect(description).not.toContain('"')
    expect(JSON.stringify(error)).not.toContain('evil.example')
    const screen = await openScreen(stage, '/ui/sites/index.html')
    await screen.waitForSelector('[data-testid=entry]')
    const shown = await screen.evaluate(() => document.body.innerText)
    expect(shown).toContain(MARKUP)
    expect(shown).not.toMatch(/\u202e/)
    expect(await screen.$('[data-testid=entry] img')).toBeNull()
    const { connections, requests } = stage.outside
    expect([...connections, ...requests].join()).not.toContain('evil.example')
  })

  const atOurHost: [title: string, change: (redirect: URL) => string][] = [
    ['a longer path', (url) => `${url.origin}${url.pathname}.evil`],
    ['a path that climbs', (url) => `${url.origin}${url.pathname}/../x`],
    ['another port', (url) => `${url.origin}:8443${url.pathname}`],
  ]
  test.for(atOurHost)(
    'R22: at %s it is refused, and no code is sent',
    async ([, change], { stage, page }) => {
      const { outcome, operator } = await beginSignIn(stage, page)
      await forgeAt(stage, operator, change)
      expect((await outcome).error?.data.error).toBe('invalid_response')
      expect(tokenRequests(stage)).toEqual([])
    },
  )

  test('R22: at a host that only looks like ours it is nobody’s: not read, not blocked, not redeemed', async ({
    stage,
    page,
  }) => {
    const { outcome, operator } = await beginSignIn(stage, page)
    const lookAlikes: ((redirect: URL) => string)[] = [
      (url) => `${url.origin}.evil.example${url.pathname}`,
      (url) => `${url.origin}@evil.example${url.pathname}`,
      (url) => `https://evil.example/${url.host}${url.pathname}`,
    ]
    for (const change of lookAlikes) {
      const { host, pathname } = await forgeAt(stage, operator, change)
      await until(`a page at ${host}`, async () =>
        (await addressOf(operator)).includes(host + pathname),
      )
      // The driver knows the address before scripts can run there; the next forgery would be lost.
      await operator.waitForFunction(() => document.readyState === 'complete')
    }
    const arrived = stage.outside.requests.filter((url) => url.includes('code=forged'))
    // A browser may request an address twice, so each address counts once.
    expect(new Set(arrived).size).toBe(lookAlikes.length)
    await operator.close()
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
    expect(tokenRequests(stage)).toEqual([])
  })
})
