/**
 * Tests a complete flow, from the page's call to the API's response and the revocation, judged by the request
 * logs of the servers.
 *
 * Seen to fail when the rule that blocks the host of the redirect URI is missing (R01, R15 with R16); when a
 * result contains more of the flow than its grant (P06); when `settleFlow` keeps the record (K02); and when
 * the manifest has another key or id (E18).
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { subscriptionsUrl } from './support/api-calls.ts'
import { pagesAt } from './support/pages.ts'
import {
  atRedirectHost,
  authorizationRequests,
  authorizationResponses,
  call,
  connect,
  databaseText,
  formOf,
  openScreen,
  type Stage,
  tokenRequests,
} from './support/stage.ts'
import { apiRequests, subscription } from './support/subscriptions.ts'

/**
 * A page with a grant: the user has consented in the broker's window, and has signed in and consented at the
 * operator.
 */
const test = base
  .extend('options', { requireConsent: true })
  .extend('granted', async ({ stage, page }): Promise<Grant> => {
    const { result, error } = await connect(stage, page)
    if (!result) throw new Error(`no grant: ${error?.message}`)
    return result
  })

const codeVerifier = (stage: Stage) => String(formOf(tokenRequests(stage)[0]).code_verifier)
const authorizationCode = (stage: Stage) =>
  new URL(authorizationResponses(stage)[0] ?? '').searchParams.get('code') ?? ''

async function recordsOf(stage: Stage) {
  const { grants, tokens, flows } = await databaseText(await openScreen(stage))
  return { grants, tokens, flows }
}

const grantsOf = async (page: Page) => (await call<Grant[]>(page, 'northbound_getGrants')).result

describe('a flow with both windows', () => {
  test('connect ends in a grant', async ({ stage, granted }) => {
    expect(granted).toMatchObject({
      issuer: stage.network.issuer,
      mode: 'fetch',
      apis: stage.wish().apis,
    })
  })

  test('R01: no request at all reaches the host of the redirect URI', async ({
    stage,
    granted: _,
  }) => {
    expect(authorizationResponses(stage)).toHaveLength(1)
    expect(stage.outside.connections).not.toContain(new URL(stage.redirectBase).host)
    expect(atRedirectHost(stage)).toEqual([])
  })

  test('the windows of the flow are closed', async ({ stage, granted: _ }) => {
    expect(await pagesAt(stage.browser, stage.network.issuer)).toEqual([])
    expect(await pagesAt(stage.browser, '/ui/consent/')).toEqual([])
  })
})

describe('the secrets of a flow', () => {
  base(
    'RFC 7636 sections 4.3 and 4.5: one authorization request with S256, and one token request whose verifier hashes to the challenge',
    async ({ stage, granted: _ }) => {
      const requests = authorizationRequests(stage)
      expect(requests).toHaveLength(1)
      expect(requests[0]?.query.code_challenge_method).toBe('S256')
      expect(tokenRequests(stage)).toHaveLength(1)
      const challenge = createHash('sha256').update(codeVerifier(stage)).digest('base64url')
      expect(requests[0]?.query.code_challenge).toBe(challenge)
    },
  )

  base(
    'P06: the verifier and the code are in no message that the page can see',
    async ({ stage, page, granted }) => {
      await call(page, 'broker_getInfo')
      await call(page, 'northbound_getGrants')
      const seen = await page.evaluate(
        () => JSON.stringify(window.seen) + document.documentElement.outerHTML,
      )
      expect(seen).toContain(granted.grantId)
      for (const secret of [codeVerifier(stage), authorizationCode(stage)]) {
        expect(secret).toMatch(/^\S{20,}$/)
        expect(seen).not.toContain(secret)
      }
    },
  )

  base(
    'K02: the flow is gone from IndexedDB, and nothing there can be read',
    async ({ stage, granted: _ }) => {
      const stores = await databaseText(await openScreen(stage))
      expect(stores.flows).toEqual([])
      expect(stores.tokens).toHaveLength(1)
      const everything = JSON.stringify(stores)
      for (const secret of [codeVerifier(stage), authorizationCode(stage), 'refreshToken', 'eyJ']) {
        expect(everything).not.toContain(secret)
      }
    },
  )

  base(
    'E18: the redirect URI is the one that the browser derives from the id',
    async ({ stage, page }) => {
      const screen = await openScreen(stage)
      const derived = await screen.evaluate(() =>
        (
          globalThis as unknown as { chrome: { identity: { getRedirectURL(): string } } }
        ).chrome.identity.getRedirectURL(),
      )
      expect(derived).toBe(stage.redirectBase)
      const { result } = await call<{ redirectUris: string[] }>(page, 'broker_getInfo')
      expect(result?.redirectUris).toEqual([derived])
    },
  )
})

describe('a page with a grant', () => {
  base('the API answers 201 with the created subscription', async ({ stage, page, granted }) => {
    const { result, error } = await page.evaluate(
      async (url, body) => {
        const answer = (await window.call('northbound_fetch', {
          url,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })) as { result?: FetchResult; error?: unknown }
        if (!answer.result) return { error: answer.error }
        return { result: { ...answer.result, body: new TextDecoder().decode(answer.result.body) } }
      },
      subscriptionsUrl(granted),
      subscription(),
    )
    expect(error).toBeUndefined()
    expect(result).toMatchObject({ status: 201 })
    expect(JSON.parse(result?.body ?? '')).toMatchObject({ qosReference: 'QOS_L' })
    const [request] = apiRequests(stage)
    expect(request?.headers.authorization).toMatch(/^Bearer /)
    expect(request?.headers.cookie).toBeUndefined()
  })

  base('a second connect finds the grant and opens no window', async ({ stage, page, granted }) => {
    const second = await call<Grant>(page, 'northbound_connect', stage.wish())
    expect(second.result?.grantId).toBe(granted.grantId)
    expect(authorizationRequests(stage)).toHaveLength(1)
  })

  base(
    'R15, R16: the redirect replayed in another tab changes nothing',
    async ({ stage, page, granted }) => {
      const replay = await stage.open()
      const [url = ''] = authorizationResponses(stage)
      const before = await recordsOf(stage)
      await replay.goto(url)
      expect(await grantsOf(page)).toStrictEqual([granted])
      expect(await recordsOf(stage)).toEqual(before)
      expect(tokenRequests(stage)).toHaveLength(1)
    },
  )

  base('revoke ends the grant, and the server is told', async ({ stage, page, granted }) => {
    const { grantId } = granted
    const revoked = await call(page, 'northbound_revoke', { grantId })
    expect(revoked.result).toEqual({ revoked: [grantId], pending: [] })
    expect(await grantsOf(page)).toEqual([])
    expect(stage.network.log.filter({ method: 'POST', path: /revocation$/ })).toHaveLength(1)
  })
})
