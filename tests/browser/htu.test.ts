/**
 * Tests D02: the `htu` of a proof is the URL as the receiver computes it, independent of the spelling that
 * the page uses. The rows run for calls by the broker and for proofs that a page uses.
 *
 * Seen to fail when:
 * - `htu` keeps the query (rows with a query);
 * - `htu` is percent-decoded (rows with an encoded path);
 * - `htu` encodes more characters than the URL does, or has lower-case letters only (rows of special
 *   characters, and of a capital letter);
 * - `htu` is copied as the page has written it (rows of dot segments, hosts and ports);
 * - `parseCallUrl` accepts every URL (fragment, user information, ambiguous escapes).
 *
 * Two rows are already in the canonical form, for comparison: the first row and the row in Punycode.
 *
 * @see RFC 9449 sections 4.2 and 4.3
 */

import { decodeJwt } from 'jose'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { OperatorApi } from '../../shared/messages/operator-profile.ts'
import type { ConnectParams, FetchResult } from '../../shared/messages/page-api.ts'
import { test } from './fixtures.ts'
import { allowEveryHost } from './support/host-access.ts'
import { connectFurther, connectQuickly } from './support/known-subscriber.ts'
import { type Called, call, type Stage, startStage } from './support/stage.ts'
import { getAccessToken } from './support/tokens.ts'

const htuOf = (proof: unknown) => decodeJwt(String(proof)).htu

const fetchIt = (page: Page, url: string, grantId: string) =>
  call<FetchResult>(page, 'northbound_fetch', { url, grantId })

const createProof = (page: Page, htu: string, grantId: string): Promise<Called<{ dpop: string }>> =>
  call(page, 'northbound_createProof', { grantId, htm: 'GET', htu })

interface Grants {
  /** For calls by the broker. */
  fetching: string
  /** For calls by the page. */
  holding: string
}

/** The two grants that all tests of this file use and do not change. */
async function connectTwice(stage: Stage, page: Page, wish: ConnectParams): Promise<Grants> {
  const grantIds = []
  for (const [mode, connect] of [
    ['fetch', connectQuickly],
    ['token', connectFurther],
  ] as const) {
    const { result } = await connect(stage, page, { ...wish, mode })
    expect(result).toMatchObject({ mode, tokenType: 'DPoP' })
    grantIds.push(result?.grantId ?? '')
  }
  const [fetching = '', holding = ''] = grantIds
  return { fetching, holding }
}

/** The text after the resource URL, and the path below the resource that the API receives. */
const PATHS: [written: string, seen: string][] = [
  ['/game/subscriptions', '/game/subscriptions'],
  ['/game/subscriptions?a=b', '/game/subscriptions'],
  ['/game/subscriptions?', '/game/subscriptions'],
  ['/game/subscriptions?a=/../b', '/game/subscriptions'],
  ['/game/./subscriptions', '/game/subscriptions'],
  ['/other/../game/subscriptions', '/game/subscriptions'],
  ['/other/%2e%2e/game/subscriptions', '/game/subscriptions'],
  ['/game\\subscriptions', '/game/subscriptions'],
  ['/ga\tme/subscriptions', '/game/subscriptions'],
  ['/g%C3%A4me/subscriptions', '/g%C3%A4me/subscriptions'],
  ['/gäme/subscriptions', '/g%C3%A4me/subscriptions'],
  ['/a game/subscriptions', '/a%20game/subscriptions'],
  ['/a%20game/subscriptions', '/a%20game/subscriptions'],
  ['/game;a=b/subscriptions', '/game;a=b/subscriptions'],
  ['/game:a@b/subscriptions', '/game:a@b/subscriptions'],
  ['/a+game/subscriptions', '/a+game/subscriptions'],
  ["/a'game/subscriptions", "/a'game/subscriptions"],
  ['/a"game/subscriptions', '/a%22game/subscriptions'],
  ['/Game/subscriptions', '/Game/subscriptions'],
]

describe('the htu of a proof', () => {
  let stage: Stage
  let page: Page
  let resource: string
  let grants: Grants

  test.beforeAll(async ({ hosts }) => {
    stage = await startStage(await hosts.get(), { operator: { dpop: 'required' } })
    page = await stage.open()
    ;[{ resource = '' } = {}] = stage.wish().apis
    grants = await connectTwice(stage, page, stage.wish())
    // The response contains the nonce of the API.
    await fetchIt(page, `${resource}/game/subscriptions`, grants.fetching)
  })
  test.beforeEach(() => stage.network.log.clear())
  test.afterAll(() => stage?.close())

  const calls = () =>
    stage.network.log
      .filter({ server: 'api-exposing-functions' })
      .filter(({ method }) => method !== 'OPTIONS')

  /** Expects that the API accepted the call, and that the API computes the same `htu` as the proof has. */
  function expectSeen(seen?: string): void {
    const last = calls().at(-1)
    expect(last?.status).toBe(200)
    const computed = `http://${last?.headers.host}${last?.path}`
    expect(htuOf(last?.headers.dpop)).toBe(computed)
    if (seen !== undefined) expect(computed).toBe(resource + seen)
  }

  /** Sends the page's own call, with the nonce that the API requires. */
  async function callByPage(url: string): Promise<void> {
    const { result: token } = await getAccessToken(page, { grantId: grants.holding })
    await page.evaluate(
      async (where, grantId, accessToken) => {
        for (let nonce: string | null | undefined, i = 0; i < 2; i++) {
          const { result } = (await window.call('northbound_createProof', {
            grantId,
            htm: 'GET',
            htu: where,
            ...(nonce && { nonce }),
          })) as { result: { dpop: string } }
          const headers = { authorization: `DPoP ${accessToken}`, dpop: result.dpop }
          nonce = (await fetch(where, { headers })).headers.get('dpop-nonce')
        }
      },
      url,
      grants.holding,
      token?.accessToken ?? '',
    )
  }

  test.each(PATHS)('D02: of %j below the resource, the API sees %j', async (written, seen) => {
    expect((await fetchIt(page, resource + written, grants.fetching)).error).toBeUndefined()
    expectSeen(seen)
    await callByPage(resource + written)
    expectSeen(seen)
  })

  // Browsers encode this character differently. The proof uses the spelling of its own browser.
  test('D02: where browsers write a path differently, the htu is as the request is sent', async () => {
    const url = `${resource}/a|game/subscriptions`
    expect((await fetchIt(page, url, grants.fetching)).error).toBeUndefined()
    expectSeen()
    await callByPage(url)
    expectSeen()
  })

  test.each(['HTTP://127.0.0.1', 'http://127.1', 'http://0x7f.0.0.1'])(
    'D02: %j is the host that the request is sent to',
    async (host) => {
      const url = `${resource.replace('http://127.0.0.1', host)}/game/subscriptions`
      expect((await fetchIt(page, url, grants.fetching)).error).toBeUndefined()
      expectSeen('/game/subscriptions')
      await callByPage(url)
      expectSeen('/game/subscriptions')
    },
  )

  test.each([
    ['a fragment', (url: string) => `${url}#here`],
    ['user information', (url: string) => url.replace('://', '://user:secret@')],
    ['an escape that is not needed', (url: string) => url.replace('/game/', '/%67ame/')],
    ['an escape in small letters', (url: string) => url.replace('/game/', '/g%c3%a4me/')],
  ])('D02: with %s there is neither a proof nor a call', async (_, change) => {
    const url = change(`${resource}/game/subscriptions`)
    expect((await fetchIt(page, url, grants.fetching)).error?.code).toBe(-32602)
    expect((await createProof(page, url, grants.holding)).error?.code).toBe(-32602)
    expect(calls()).toEqual([])
  })
})

/** An API on a host that is not loopback, with a non-ASCII letter in its name. */
const API: OperatorApi = {
  resource: 'https://xn--bcher-kva.example/location-verification/v3',
  name: 'Elsewhere',
  scopes: [{ scope: 'location-verification:verify' }],
  purposes: ['dpv:RequestedServiceProvision'],
}

const SEEN = `${API.resource}/verify`

describe('the htu of a proof for an API with a name', () => {
  let stage: Stage
  let page: Page
  let grants: Grants

  test.beforeAll(async ({ hosts }) => {
    stage = await startStage(await hosts.get(), {
      operator: {
        dpop: 'required',
        onboarding: 'preregistered',
        clientAuthentication: 'none',
        apis: [API],
      },
      prepareExtension: allowEveryHost,
    })
    page = await stage.open()
    grants = await connectTwice(stage, page, {
      issuer: `${stage.network.issuer}/camara`,
      apis: [
        {
          resource: API.resource,
          scope: API.scopes[0]?.scope ?? '',
          purpose: API.purposes?.[0] ?? '',
        },
      ],
    })
  })
  test.afterAll(() => stage?.close())

  test.each([
    'https://bücher.example/location-verification/v3/verify',
    'https://BÜCHER.example:443/location-verification/v3/verify?a=b',
    'https://xn--bcher-kva.example/location-verification/v3/verify',
    'HTTPS://XN--BCHER-KVA.EXAMPLE:443/location-verification/v3/./verify',
  ])('D02: %j is what an API with a name sees as its own URL', async (url) => {
    expect((await fetchIt(page, url, grants.fetching)).error).toBeUndefined()
    const computed = new URL(stage.outside.requests.at(-1) ?? '')
    computed.search = ''
    expect(computed.href).toBe(SEEN)
    expect(htuOf(stage.outside.headers.at(-1)?.dpop)).toBe(SEEN)
    expect(htuOf((await createProof(page, url, grants.holding)).result?.dpop)).toBe(SEEN)
  })
})
