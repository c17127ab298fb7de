/**
 * What may go wrong in a flow: each ends in a typed error of the page contract, and without a token.
 *
 * Seen to fail when `validateAuthorizationResponse` reads the code and believes the rest (R05 to R10,
 * R15, R20); when `tabClosed` does not cancel, and when no refusal is remembered, or one for ever (X07);
 * when `access_denied` is a word like others (X08); when a response counts in any tab (R19, R24); and when
 * the verifier is always that of RFC 7636 appendix B, whose challenge the row asks with (R17).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { addressOf, gone, pageAt, pagesAt, until } from './support/pages.ts'
import { beginSignIn, forgeResponse } from './support/sign-in-window.ts'
import {
  answerConsent,
  atRedirectHost,
  authorizationRequests,
  authorizationResponses,
  BROWSERS,
  type Called,
  call,
  databaseText,
  forgetRefusals,
  openScreen,
  type Stage,
  signIn,
  signInPage,
  startStage,
  tokenRequests,
} from './support/stage.ts'

interface Session {
  get(): Promise<{ refusals: Record<string, { times: number; at: number }> }>
  set(items: object): Promise<void>
}

/** As if the user had refused often: the first pause is shorter than a slow machine may need. */
async function prolongRefusals(stage: Stage): Promise<void> {
  const screen = await openScreen(stage)
  await screen.evaluate(async () => {
    const { session } = (globalThis as unknown as { chrome: { storage: { session: Session } } })
      .chrome.storage
    const { refusals } = await session.get()
    for (const refused of Object.values(refusals)) refused.times = 8
    await session.set({ refusals })
  })
  await screen.close()
}

describe.each(BROWSERS)('in %s', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
  })
  afterAll(() => stage?.close())

  beforeEach(async () => {
    await forgetRefusals(stage)
    stage.network.log.clear()
    page = await stage.open()
  })
  afterEach(async () => {
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const screen = await openScreen(stage)
    const stores = await databaseText(screen)
    expect([stores.flows, stores.tokens ?? []]).toEqual([[], []])
    await screen.close()
    await page.close()
    expect(atRedirectHost(stage)).toEqual([])
  })

  const forged: [title: string, change: (response: URLSearchParams) => void, error: string][] = [
    ['R05: a wrong state', (r) => r.set('state', 'x'.repeat(43)), 'state_mismatch'],
    ['R06: no state', (r) => r.delete('state'), 'state_mismatch'],
    ['R08: a wrong iss', (r) => r.set('iss', 'https://evil.example'), 'issuer_mismatch'],
    ['R09: no iss, though it is advertised', (r) => r.delete('iss'), 'issuer_mismatch'],
    ['R10: an iss with a slash more', (r) => r.set('iss', `${r.get('iss')}/`), 'issuer_mismatch'],
    ['R07: two codes', (r) => r.append('code', 'second'), 'invalid_response'],
    ['R20: a code and an error', (r) => r.set('error', 'access_denied'), 'invalid_response'],
    ['R20: a code with NUL and CRLF', (r) => r.set('code', 'a\0\r\nb'), 'invalid_response'],
  ]
  test.each(forged)('%s is refused, and no code is sent', async (_, change, error) => {
    await forgetRefusals(stage)
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    await forgeResponse(stage, operator, change)
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.untrustedResponse,
      data: { error },
      isError: true,
    })
    expect(tokenRequests(stage)).toEqual([])
  })

  test('X08: the user refuses at the operator', async () => {
    const { outcome } = await beginSignIn(stage, page)
    await signIn(stage, 'deny')
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.accessDenied,
      data: { error: 'access_denied' },
    })
    expect(tokenRequests(stage)).toEqual([])
  })

  /** The page hears of it at once, and not when the flow's alarm rings. */
  async function expectTold(outcome: Promise<Called<Grant>>): Promise<void> {
    let told: Called<Grant> | undefined
    void outcome.then((settled) => {
      told = settled
    })
    const { error } = await until('the page to be told', async () => told)
    expect(error).toMatchObject({ code: ERROR_CODE.accessDenied })
  }

  async function closeConsent(): Promise<void> {
    const consent = await pageAt(stage.browser, '/ui/consent/')
    stage.brokerOrigin ??= (await addressOf(consent)).split('/ui/')[0]
    await consent.close()
  }

  test('X07: the user closes the consent window', async () => {
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await closeConsent()
    await expectTold(outcome)
  })

  test('X07: the user closes the sign-in window', async () => {
    const { outcome, operator } = await beginSignIn(stage, page)
    await operator.close()
    await expectTold(outcome)
  })

  test.each(['consent', 'sign-in'])(
    'X07: for a while after the user closed the %s window the page gets no other, and then it does',
    async (which) => {
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      if (which === 'consent') await closeConsent()
      else {
        await answerConsent(stage, 'allow')
        await (await signInPage(stage)).close()
      }
      expect((await outcome).error).toMatchObject({ code: ERROR_CODE.accessDenied })
      await gone(stage.browser, '/ui/consent/')
      await prolongRefusals(stage)
      await gesture(page)
      const again = await call<Grant>(page, 'northbound_connect', stage.wish())
      expect(again.error).toMatchObject({ code: ERROR_CODE.accessDenied })
      expect(await pagesAt(stage.browser, '/ui/consent/')).toEqual([])
      await forgetRefusals(stage)
      await gesture(page)
      const later = call<Grant>(page, 'northbound_connect', stage.wish())
      await answerConsent(stage, 'deny')
      expect((await later).error).toMatchObject({ code: ERROR_CODE.accessDenied })
    },
  )

  test('R15: the response of an earlier flow is no answer to a new one', async () => {
    const first = await beginSignIn(stage, page)
    await signIn(stage, 'deny')
    await first.outcome
    const earlier = authorizationResponses(stage)[0] ?? ''
    await forgetRefusals(stage)
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    await operator.evaluate((address) => location.assign(address), earlier).catch(() => {})
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.untrustedResponse,
      data: { error: 'state_mismatch' },
    })
  })

  test('R19, R24: a response in another tab is ignored, whatever it says', async () => {
    const { outcome, operator } = await beginSignIn(stage, page)
    const other = await stage.open()
    await forgeResponse(stage, other, () => {})
    await other.close()
    await operator.close()
    expect((await outcome).error).toMatchObject({ code: ERROR_CODE.accessDenied })
    expect(tokenRequests(stage)).toEqual([])
  })

  // The last one: the user signs in, and from then on the operator asks no more.
  test('R17: a code made for another challenge is refused by the server, and nothing is granted', async () => {
    const { outcome, operator } = await beginSignIn(stage, page)
    const [request] = authorizationRequests(stage)
    const url = new URL(`${stage.network.issuer}${request?.path}`)
    for (const [key, value] of Object.entries(request?.query ?? {})) {
      for (const one of [value].flat()) url.searchParams.append(key, one)
    }
    url.searchParams.set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
    await operator.goto(url.href)
    await signIn(stage)
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.authorizationServerError,
      data: { error: 'invalid_grant' },
    })
    expect(tokenRequests(stage)).toHaveLength(1)
  })
})
