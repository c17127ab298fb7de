/**
 * Where an authorization request goes and where it is shown: to operators that the broker knows, in a
 * window of the browser with an address bar.
 *
 * Seen to fail when `connect` makes up an operator for an issuer that it does not know (P09), and with
 * a sign-in window of the type `popup` (P16).
 *
 * @see RFC 8252 section 8.12
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Network, startNetwork } from '../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import type { ConnectParams } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { pagesAt } from './support/pages.ts'
import {
  answerConsent,
  authorizationRequests,
  BROWSERS,
  CLIENT_ID,
  call,
  openScreen,
  type Stage,
  signIn,
  signInPage,
  startStage,
} from './support/stage.ts'

/** Only a window of the type `normal` has an address bar in which a user can see where it is. */
interface Windows {
  getAll(how: { populate: true }): Promise<{ type?: string; tabs?: { url?: string }[] }[]>
}

describe.each(BROWSERS)('in %s, an authorization request', (name) => {
  let stage: Stage
  let foreign: Network
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
    // It would serve this application, if only the broker asked it.
    foreign = await startNetwork({
      applications: [
        { clientId: CLIENT_ID, name: 'Cloud gaming', origins: [stage.application.origin] },
      ],
      redirectBases: Object.values(REDIRECT_BASE),
    })
    page = await stage.open()
  })
  afterAll(async () => {
    await stage?.close()
    await foreign?.close()
  })

  type Wish = (own: ConnectParams, issuer: string) => object
  const wishes: [title: string, wish: Wish, code: number][] = [
    ['of a server that nobody configured', (own, issuer) => ({ ...own, issuer }), 4100],
    [
      'of such a server, with its APIs',
      (own, issuer) => ({
        ...own,
        issuer,
        apis: foreign.operatorProfiles[0]?.apis.map(({ resource, scopes }) => ({
          resource,
          scope: scopes[0]?.scope ?? '',
        })),
      }),
      4100,
    ],
    ['of a server elsewhere', (own) => ({ ...own, issuer: 'https://authorization.example' }), 4100],
    ['with a slash more', (own) => ({ ...own, issuer: `${own.issuer}/` }), 4100],
    [
      'in upper case',
      (own) => ({ ...own, issuer: own.issuer.replace('localhost', 'LOCALHOST') }),
      4100,
    ],
    [
      'whose host only begins alike',
      (own) => ({ ...own, issuer: own.issuer.replace('localhost', 'localhost.evil.example') }),
      4100,
    ],
    [
      'behind user information',
      (own, issuer) => ({ ...own, issuer: issuer.replace('//', `//${new URL(own.issuer).host}@`) }),
      4100,
    ],
    [
      'with an authorization endpoint of the page’s choice',
      (own, issuer) => ({ ...own, authorization_endpoint: `${issuer}/auth` }),
      -32602,
    ],
    [
      'with metadata of the page’s choice',
      (own, issuer) => ({ ...own, metadata: { token_endpoint: `${issuer}/token` } }),
      -32602,
    ],
    [
      'with another server’s API',
      (own) => ({
        ...own,
        apis: [{ ...own.apis[0], resource: `${foreign.apisOrigin}/3gpp-as-session-with-qos/v1` }],
      }),
      -32602,
    ],
  ]
  test.each(wishes)(
    'P09: for the issuer %s is not made, and nothing is sent',
    async (_, wish, code) => {
      const before = stage.network.log.entries.length
      await gesture(page)
      const params = wish(stage.wish(), foreign.issuer)
      const { error } = await call(page, 'northbound_connect', params)
      expect(error?.code).toBe(code)
      expect(foreign.log.entries).toEqual([])
      expect(stage.network.log.entries).toHaveLength(before)
      expect(stage.outside.connections.filter((host) => host.endsWith('.example'))).toEqual([])
      expect(await pagesAt(stage.browser, '/ui/consent/')).toEqual([])
    },
  )

  const smuggled = {
    redirect_uri: 'https://evil.example/',
    response_type: 'token',
    response_mode: 'fragment',
    prompt: 'none',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'plain',
    state: 'chosen',
    request_uri: 'urn:x',
  }
  test.each(Object.entries(smuggled))(
    'P07, P08: with "%s" by the page is not made',
    async (parameter, value) => {
      const before = stage.network.log.entries.length
      await gesture(page)
      const wish = stage.wish()
      for (const params of [
        { ...wish, [parameter]: value },
        { ...wish, apis: wish.apis.map((api) => ({ ...api, [parameter]: value })) },
        { ...wish, apis: wish.apis.map((api) => ({ ...api, scope: `x&${parameter}=${value}` })) },
      ]) {
        expect((await call(page, 'northbound_connect', params)).error?.code).toBe(-32602)
      }
      expect(stage.network.log.entries).toHaveLength(before)
    },
  )

  test('P16: is shown in a top-level window with an address bar', async () => {
    await gesture(page)
    const outcome = call(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'allow')
    const operator = await signInPage(stage)
    await operator.waitForSelector('[data-form=password]')
    expect(await operator.evaluate(() => [window.top === window, window.opener])).toEqual([
      true,
      null,
    ])
    const screen = await openScreen(stage)
    const types = await screen.evaluate(async (issuer) => {
      const { chrome } = globalThis as unknown as { chrome: { windows: Windows } }
      const all = await chrome.windows.getAll({ populate: true })
      return all
        .filter(({ tabs = [] }) => tabs.some(({ url }) => url?.startsWith(issuer)))
        .map(({ type }) => type)
    }, stage.network.issuer)
    expect(types).toEqual(['normal'])
    await screen.close()
    await signIn(stage)
    expect((await outcome).error).toBeUndefined()
    const [request, ...more] = authorizationRequests(stage)
    expect(more).toEqual([])
    expect(request?.headers).toMatchObject({
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
    })
    const framed = (await stage.browser.pages()).flatMap((each) =>
      each.frames().filter((frame) => frame !== each.mainFrame()),
    )
    expect(framed.map((frame) => frame.url())).toEqual([])
  })
})
