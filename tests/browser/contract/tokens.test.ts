/**
 * Tests section 2 of the contract: `northbound_getAccessToken` and `northbound_createProof`, for a page in
 * mode `token`, and the data that never leave the broker, in this mode either.
 *
 * Seen to fail when:
 * - `grantId` is missing in the result;
 * - `minValiditySeconds` is ignored;
 * - a proof has no hash of the query;
 * - `refused` and `accessToken` are not read (the code before had neither);
 * - the subscriber's handle is derived from the flow and not from the subscriber.
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { AccessToken, GetAccessTokenParams, Grant } from '../../../shared/messages/page-api.ts'
import { test as base } from '../fixtures.ts'
import { connectQuickly } from '../support/known-subscriber.ts'
import { PAGE_FOR_PEOPLE, REFRESH_REFUSED } from '../support/need-the-user.ts'
import { wishFor } from '../support/operator-wish.ts'
import { aGrant } from '../support/shapes.ts'
import {
  authorizationResponses,
  type Called,
  call,
  formOf,
  gesture,
  type Stage,
  tokenRequests,
} from '../support/stage.ts'
import { RENEWED } from '../support/tokens.ts'
import { windowsOpenedBy } from '../support/windows.ts'

/** A page that has a grant in mode `token`. */
const test = base
  .extend('options', { operator: { dpop: 'when_offered' } })
  .extend('wish', { mode: 'token' })
  .extend('ask', ({ page, granted: _ }) => {
    return (params?: GetAccessTokenParams) =>
      call<AccessToken>(page, 'northbound_getAccessToken', params)
  })

/** An ID token identifies the subscriber, so that the broker tries a silent authorization before a window. */
const identifiedTest = test.extend('options', {
  operator: { dpop: 'when_offered', openid: 'required' },
})

const tokenOf = ({ grantId, apis: [api] }: Grant) => ({
  accessToken: expect.stringMatching(/^\S{20,}$/),
  tokenType: 'DPoP',
  expiresAt: expect.any(Number),
  scope: api?.scope,
  resource: api?.resource,
  grantId,
})

const claimsOf = (jwt: string | undefined): Record<string, string> =>
  JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString())

describe('northbound_getAccessToken', () => {
  test('northbound_getAccessToken: without parameters, by grantId, by resource and by scope', async ({
    granted,
    ask,
  }) => {
    expect(granted).toStrictEqual(aGrant({ mode: 'token', tokenType: 'DPoP' }))
    const { grantId, apis } = granted
    const [{ resource, scope } = { resource: '', scope: '' }] = apis
    const all = [
      await ask(),
      await ask({ grantId }),
      await ask({ resource }),
      await ask({ scope }),
      await ask({ grantId, resource, scope, interactive: 'never' }),
    ]
    for (const { result } of all) {
      expect(result).toStrictEqual(tokenOf(granted))
      expect(result?.expiresAt).toBeGreaterThan(Date.now() + 30_000)
    }
    expect(new Set(all.map(({ result }) => result?.accessToken)).size).toBe(1)
    const others = [{ grantId: 'x' }, { resource: `${resource}0` }, { scope: `${scope} more` }]
    for (const params of others) {
      expect((await ask(params)).error).toMatchObject({ code: 4100 })
    }
  })

  test('northbound_getAccessToken: minValiditySeconds renews a token that ends too soon', async ({
    stage,
    granted,
    ask,
  }) => {
    const before = await ask()
    const requests = tokenRequests(stage).length
    expect((await ask({ minValiditySeconds: 60 })).result).toEqual(before.result)
    const { result } = await ask(RENEWED)
    expect(result).toStrictEqual(tokenOf(granted))
    expect(result?.accessToken).not.toBe(before.result?.accessToken)
    expect(tokenRequests(stage).slice(requests).map(formOf)).toMatchObject([
      { grant_type: 'refresh_token' },
    ])
  })

  test('northbound_getAccessToken: a refused token is renewed once, and then it is the error 4210 (F03)', async ({
    stage,
    ask,
  }) => {
    const tokenFrom = async (params?: GetAccessTokenParams) =>
      (await ask(params)).result?.accessToken ?? ''
    const first = await tokenFrom()
    const requests = tokenRequests(stage).length
    const second = await tokenFrom({ refused: first })
    expect(second).not.toBe(first)
    expect(await tokenFrom({ refused: first })).toBe(second)
    expect(await tokenFrom()).toBe(second)
    const { error } = await ask({ refused: second })
    expect(error).toMatchObject({ code: 4210, data: { error: 'interaction_required' } })
    expect((await ask()).error?.code).toBe(4210)
    expect(tokenRequests(stage)).toHaveLength(requests + 1)
  })

  identifiedTest(
    'northbound_getAccessToken: a window opens with interactive ifNeeded and a gesture, and not else',
    async ({ stage, page, granted, ask }) => {
      stage.network.faults.add(REFRESH_REFUSED)
      for (const interactive of [undefined, 'never', 'ifNeeded'] as const) {
        stage.network.faults.add(PAGE_FOR_PEOPLE)
        await gesture(page)
        let outcome: Called<AccessToken> | undefined
        const windows = await windowsOpenedBy(stage, async () => {
          outcome = await ask({
            ...RENEWED,
            ...(interactive && { interactive }),
          })
        })
        stage.network.faults.clear()
        if (interactive === 'ifNeeded') {
          expect(windows).toBe(1)
          expect(outcome?.result).toStrictEqual(tokenOf(granted))
        } else {
          expect([windows, outcome?.error?.code]).toEqual([0, 4210])
        }
      }
    },
  )

  test('northbound_getAccessToken: neither a refresh token, a code, a verifier, an ID token nor a private key reaches the page', async ({
    stage,
    page,
    ask,
  }) => {
    await ask(RENEWED)
    await call(page, 'northbound_getGrants')
    const { result } = await ask()
    const seen = await page.evaluate(() => JSON.stringify(window.seen))
    expect(seen).toContain(result?.accessToken)
    const forms = tokenRequests(stage).map(formOf)
    const sent = forms.flatMap((form) => [form.refresh_token, form.code, form.code_verifier])
    const secrets = sent.filter((secret) => typeof secret === 'string')
    expect(secrets.length).toBeGreaterThanOrEqual(3)
    for (const secret of secrets) expect(seen).not.toContain(secret)
    for (const response of authorizationResponses(stage)) {
      expect(seen).not.toContain(new URL(response).searchParams.get('code'))
    }
    expect(seen).not.toMatch(/refresh|id_?token|verifier|private|"d":/i)
  })
})

describe('northbound_createProof', () => {
  test('northbound_createProof: grantId, htm and htu give one proof for one request, and no window', async ({
    stage,
    page,
    granted: { grantId, apis },
  }) => {
    const htu = `${apis[0]?.resource}/cloud-gaming/subscriptions`
    const params = { grantId, htm: 'POST', htu }
    const proofs: (string | undefined)[] = []
    const windows = await windowsOpenedBy(stage, async () => {
      for (let time = 0; time < 2; time++) {
        const { result } = await call<{ dpop: string }>(page, 'northbound_createProof', params)
        expect(result).toStrictEqual({ dpop: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) })
        proofs.push(result?.dpop)
      }
    })
    expect(windows).toBe(0)
    expect(claimsOf(proofs[0])).toMatchObject({ htm: 'POST', htu })
    expect(claimsOf(proofs[0]).jti).not.toBe(claimsOf(proofs[1]).jti)
  })
})

describe('a page whose token another call has renewed', () => {
  test('northbound_createProof: accessToken names the token that the proof is for (F02)', async ({
    page,
    granted: { grantId, apis },
    ask,
  }) => {
    const first = (await ask()).result?.accessToken ?? ''
    const second = (await ask(RENEWED)).result?.accessToken ?? ''
    const htu = `${apis[0]?.resource}/cloud-gaming/subscriptions`
    for (const accessToken of [first, second]) {
      const params = { grantId, htm: 'GET', htu, accessToken }
      const { result } = await call<{ dpop: string }>(page, 'northbound_createProof', params)
      const ath = createHash('sha256').update(accessToken).digest('base64url')
      expect(claimsOf(result?.dpop).ath).toBe(ath)
    }
    const params = { grantId, htm: 'GET', htu, accessToken: 'of-somebody' }
    const { error } = await call(page, 'northbound_createProof', params)
    expect(error).toMatchObject({ code: -32602 })
  })
})

describe('an operator that names the subscriber', () => {
  const camaraTest = base.extend('options', {
    operator: {
      dpop: 'when_offered',
      onboarding: 'preregistered',
      clientAuthentication: 'none',
    },
  })

  async function connectThere(stage: Stage, page: Page, mode: Grant['mode']) {
    const wish = wishFor(stage, 'camara')
    const { result, error } = await connectQuickly(stage, page, { ...wish, mode })
    if (!result) throw new Error(`no grant: ${error?.message}`)
    return result
  }

  camaraTest(
    'northbound_createProof: body, query and nonce are in the proof where they are wanted',
    async ({ stage, page }) => {
      const { grantId, apis } = await connectThere(stage, page, 'token')
      const htu = `${apis[0]?.resource}/sessions`
      const params = { grantId, htm: 'POST', htu, body: '{"a":1}', query: 'b=2', nonce: 'n-1' }
      const { result } = await call<{ dpop: string }>(page, 'northbound_createProof', params)
      const claims = claimsOf(result?.dpop)
      expect(claims).toMatchObject({ htm: 'POST', htu, nonce: 'n-1', jti: expect.any(String) })
      expect(Object.keys(claims)).toEqual(expect.arrayContaining(['camara:bh', 'camara:qh']))
    },
  )

  camaraTest(
    'northbound_connect: the subject of a Grant is the same for each grant of this origin, and no GPSI',
    async ({ stage, page }) => {
      const both = [
        await connectThere(stage, page, 'token'),
        await connectThere(stage, page, 'fetch'),
      ]
      expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toHaveLength(2)
      expect(new Set(both.map(({ subject }) => subject)).size).toBe(1)
      const numbers = stage.network.subscribers.all.map(({ phoneNumber }) => phoneNumber.slice(1))
      for (const number of numbers) expect(both[0]?.subject).not.toContain(number)
    },
  )
})
