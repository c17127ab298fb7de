/**
 * Tests the destination of an authorization request and the window that shows it. The broker sends the
 * request only to operators that it knows, and shows it in a browser window with an address bar.
 *
 * Seen to fail when `connect` invents an operator for an unknown issuer (P09), and when the sign-in window of a page
 * without neighbors has the type `popup` (P16).
 *
 * @see RFC 8252 section 8.12
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { type Network, startNetwork } from '../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import type { ConnectParams } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { pagesAt } from './support/pages.ts'
import {
  authorizationRequests,
  CLIENT_ID,
  call,
  gesture,
  openScreen,
  type Stage,
  signIn,
  signInPage,
} from './support/stage.ts'

/** Only a window of the type `normal` has an address bar that shows the user the address. */
interface Windows {
  getAll(how: { populate: true }): Promise<{ type?: string; tabs?: { url?: string }[] }[]>
}

/** The types of the windows that show a page of the operator, as the browser tells them to the broker. */
async function findWindowTypes(stage: Stage, issuer: string): Promise<(string | undefined)[]> {
  const screen = await openScreen(stage)
  const types = await screen.evaluate(async (start) => {
    const { chrome } = globalThis as unknown as { chrome: { windows: Windows } }
    const all = await chrome.windows.getAll({ populate: true })
    return all
      .filter(({ tabs = [] }) => tabs.some(({ url }) => url?.startsWith(start)))
      .map(({ type }) => type)
  }, issuer)
  await screen.close()
  return types
}

/** A network that would serve the application if the broker sent a request to it. */
const test = base.extend('foreign', async ({ stage }, { onCleanup }) => {
  const foreign = await startNetwork({
    applications: [
      { clientId: CLIENT_ID, name: 'Cloud gaming', origins: [stage.application.origin] },
    ],
    redirectBases: Object.values(REDIRECT_BASE),
  })
  onCleanup(() => foreign.close())
  return foreign
})

/** Changed parameters of the page's request, and the code of the error. */
function wishesElsewhere(
  own: ConnectParams,
  { issuer, apisOrigin, operatorProfiles }: Network,
): Record<string, [params: object, code: number]> {
  const apis = operatorProfiles[0]?.apis.map(({ resource, scopes }) => ({
    resource,
    scope: scopes[0]?.scope ?? '',
  }))
  const withHost = (host: string) => own.issuer.replace('localhost', host)
  const resource = `${apisOrigin}/3gpp-as-session-with-qos/v1`
  return {
    'of a server that nobody configured': [{ ...own, issuer }, 4100],
    'of such a server, with its APIs': [{ ...own, issuer, apis }, 4100],
    'of a server elsewhere': [{ ...own, issuer: 'https://authorization.example' }, 4100],
    'with a slash more': [{ ...own, issuer: `${own.issuer}/` }, 4100],
    'in upper case': [{ ...own, issuer: withHost('LOCALHOST') }, 4100],
    'whose host only begins alike': [{ ...own, issuer: withHost('localhost.evil.example') }, 4100],
    'behind user information': [
      { ...own, issuer: issuer.replace('//', `//${new URL(own.issuer).host}@`) },
      4100,
    ],
    'with an authorization endpoint of the page’s choice': [
      { ...own, authorization_endpoint: `${issuer}/auth` },
      -32602,
    ],
    'with metadata of the page’s choice': [
      { ...own, metadata: { token_endpoint: `${issuer}/token` } },
      -32602,
    ],
    'with another server’s API': [{ ...own, apis: [{ ...own.apis[0], resource }] }, -32602],
  }
}

const PROTECTED_PARAMETERS = {
  redirect_uri: 'https://evil.example/',
  response_type: 'token',
  response_mode: 'fragment',
  prompt: 'none',
  code_challenge: 'x'.repeat(43),
  code_challenge_method: 'plain',
  state: 'chosen',
  request_uri: 'urn:x',
}

describe('an authorization request', () => {
  test('P09: for an issuer that nobody configured is not made, and nothing is sent', async ({
    stage,
    page,
    foreign,
  }) => {
    const wishes = wishesElsewhere(stage.wish(), foreign)
    const codes: Record<string, number | undefined> = {}
    for (const [title, [params]] of Object.entries(wishes)) {
      await gesture(page)
      codes[title] = (await call(page, 'northbound_connect', params)).error?.code
    }
    const expected = Object.entries(wishes).map(([title, [, code]]) => [title, code])
    expect(codes).toEqual(Object.fromEntries(expected))
    expect(foreign.log.entries).toEqual([])
    expect(stage.network.log.entries).toEqual([])
    expect(stage.outside.connections.filter((host) => host.endsWith('.example'))).toEqual([])
    for (const path of ['/ui/consent/', stage.network.issuer, foreign.issuer]) {
      expect(await pagesAt(stage.browser, path)).toEqual([])
    }
  })

  test('P07, P08: with a protected parameter by the page is not made', async ({ stage, page }) => {
    const own = stage.wish()
    const codes: Record<string, (number | undefined)[]> = {}
    for (const [parameter, value] of Object.entries(PROTECTED_PARAMETERS)) {
      await gesture(page)
      codes[parameter] = []
      for (const params of [
        { ...own, [parameter]: value },
        { ...own, apis: own.apis.map((api) => ({ ...api, [parameter]: value })) },
        { ...own, apis: own.apis.map((api) => ({ ...api, scope: `x&${parameter}=${value}` })) },
      ]) {
        const { error } = await call(page, 'northbound_connect', params)
        codes[parameter].push(error?.code)
      }
    }
    const refused = [-32602, -32602, -32602]
    const names = Object.keys(PROTECTED_PARAMETERS)
    expect(codes).toEqual(Object.fromEntries(names.map((parameter) => [parameter, refused])))
    expect(stage.network.log.entries).toEqual([])
  })

  test('P16: is shown in a top-level window with an address bar', async ({ stage, page }) => {
    await gesture(page)
    const outcome = call(page, 'northbound_connect', stage.wish())
    const operator = await signInPage(stage)
    await operator.waitForSelector('[data-form=password]')
    expect(await operator.evaluate(() => [window.top === window, window.opener])).toEqual([
      true,
      null,
    ])
    expect(await findWindowTypes(stage, stage.network.issuer)).toEqual(['normal'])
    for (const shown of [page, operator]) expect(shown.frames()).toHaveLength(1)
    await signIn(stage)
    expect((await outcome).error).toBeUndefined()
    const [request, ...more] = authorizationRequests(stage)
    expect(more).toEqual([])
    expect(request?.headers).toMatchObject({
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
    })
  })

  test('P16: of a page in a window without tabs is shown in another window, with an address bar', async ({
    stage,
    page,
  }) => {
    await gesture(page)
    const opening = new Promise<Page | null>((resolve) => page.once('popup', resolve))
    await page.evaluate(() => void open('/?popup', '', 'popup,width=400,height=400'))
    const popup = await opening
    if (!popup) throw new Error('the popup did not open')
    await popup.waitForSelector('button')
    await gesture(popup)
    const outcome = call(popup, 'northbound_connect', stage.wish())
    await signInPage(stage)
    expect(await findWindowTypes(stage, stage.network.issuer)).toEqual(['normal'])
    await signIn(stage)
    expect((await outcome).error).toBeUndefined()
    await popup.close()
  })
})
