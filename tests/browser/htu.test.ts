/**
 * D02: the `htu` of a proof is the URL as its receiver computes it, however the page has written it: in
 * the broker's own calls, and in proofs for a page's. @see RFC 9449 sections 4.2 and 4.3
 *
 * Seen to fail with an `htu` that keeps the query (rows with one), that is decoded (rows with an encoded
 * path), that encodes more than the URL does and has small letters alone (rows of signs, and of a capital),
 * and that is as the page has written it (rows of dots, hosts and ports); and without the refusals of
 * `canonicalUrl` (fragment, user information). The rows that are written as they are sent, the first and
 * the one in Punycode, are there for comparison.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { OperatorApi } from '../../shared/messages/operator-profile.ts'
import type { ConnectParams, FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { test } from './fixtures.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { type Called, call, gesture, type Stage, startStage } from './support/stage.ts'
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

/** The two grants that a file's tests use, and leave as they are. */
async function connectTwice(stage: Stage, page: Page, wish: ConnectParams): Promise<Grants> {
  await signInBeforehand(stage, wish)
  const grantIds = []
  for (const mode of ['fetch', 'token'] as const) {
    await gesture(page)
    const { result } = await call<Grant>(page, 'northbound_connect', { ...wish, mode })
    expect(result).toMatchObject({ mode, tokenType: 'DPoP' })
    grantIds.push(result?.grantId ?? '')
  }
  const [fetching = '', holding = ''] = grantIds
  return { fetching, holding }
}

/** What follows the resource, and the path that the API sees below it. */
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
  ['/%67ame/subscriptions', '/%67ame/subscriptions'],
  ['/g%c3%a4me/subscriptions', '/g%c3%a4me/subscriptions'],
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
    // Its answer brings the nonce of the API.
    await fetchIt(page, `${resource}/game/subscriptions`, grants.fetching)
  })
  test.beforeEach(() => stage.network.log.clear())
  test.afterAll(() => stage?.close())

  const calls = () =>
    stage.network.log
      .filter({ server: 'api-exposing-functions' })
      .filter(({ method }) => method !== 'OPTIONS')

  /** The API has let the call pass, and computes itself what the proof says. */
  function expectSeen(seen?: string): void {
    const last = calls().at(-1)
    expect(last?.status).toBe(200)
    const computed = `http://${last?.headers.host}${last?.path}`
    expect(htuOf(last?.headers.dpop)).toBe(computed)
    if (seen !== undefined) expect(computed).toBe(resource + seen)
  }

  /** The page's own call, with the nonce that the API wants. */
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

  // Browsers disagree about this character; the proof agrees with the browser that it is made in.
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
  ])('D02: with %s there is neither a proof nor a call', async (_, change) => {
    const url = change(`${resource}/game/subscriptions`)
    expect((await fetchIt(page, url, grants.fetching)).error?.code).toBe(-32602)
    expect((await createProof(page, url, grants.holding)).error?.code).toBe(-32602)
    expect(calls()).toEqual([])
  })
})

/** An API beyond loopback, whose name has a letter that is not ASCII. */
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

/** As if the user had let the broker speak to servers beyond loopback. */
async function allowEveryHost(path: string): Promise<void> {
  const file = join(path, 'manifest.json')
  const manifest = JSON.parse(await readFile(file, 'utf8'))
  manifest.host_permissions.push('https://*/*')
  await writeFile(file, JSON.stringify(manifest))
}
