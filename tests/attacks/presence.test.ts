/**
 * Tests sites that try to find out if the extension is installed, in the released build. A site that is not
 * switched on requests the host of the redirect URI in every way that a page has: elements, `fetch`, sockets,
 * windows. The same attempts at a host of the same form, which belongs to no extension that
 * is installed, are the control. What the page observes is equal for both hosts, and the requests for both
 * reach the network: the browser treats the two hosts alike, in time too.
 *
 * A page of an operator is no such site: its responses are kept from the network in every tab.
 *
 * Seen to fail when a static rule blocks the host of the redirect URI for every tab: an image and a frame are
 * collapsed to nothing in Chromium, and no request and no window reaches the network in either browser. The
 * last test: without `blockFromOperators`.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import type { OperatorCheck } from '../../shared/messages/screen-channel.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { inFront, until } from '../browser/support/pages.ts'
import { askBackground, type SitesStage } from '../browser/support/sites-stage.ts'
import { atRedirectHost, openScreen } from '../browser/support/stage.ts'

const CURIOUS = 'https://curious.example'
const OPERATOR = 'https://operator.example'
/** A host that a page asks for to learn that the reports of all earlier requests have arrived. */
const LAST = 'https://last.example'

/** The released build with an operator, and a page of a site that is not switched on. */
const test = base.extend('build', 'released').extend('curious', async ({ sitesStage }) => {
  sitesStage.outside.answers.set(`GET ${CURIOUS}/`, () => ({
    headers: {
      'content-type': 'text/html',
      'content-security-policy-report-only': "default-src 'none'; script-src 'unsafe-inline'",
    },
    body: '<title>Curious</title><body>',
  }))
  const screen = await openScreen(sitesStage)
  const api = { resource: `${OPERATOR}/v1`, name: 'Quality', scopes: [{ scope: 'qod' }] }
  const profile = { issuer: OPERATOR, name: 'Operator', profile: 'oauth', apis: [api] }
  await sitesStage.give(screen, OPERATOR)
  const text = JSON.stringify(profile)
  const { reasons } = await askBackground<OperatorCheck>(screen, 'addOperator', { text })
  expect(reasons).toBeUndefined()
  return sitesStage.open(CURIOUS)
})

/** Ways to request a URL with an element. The value is the attribute that has the URL. */
const ELEMENTS = [
  ['img', 'src'],
  ['iframe', 'src'],
  ['object', 'data'],
  ['embed', 'src'],
  ['script', 'src'],
  ['video', 'src'],
  ['link', 'href', 'stylesheet'],
  ['link', 'href', 'preload'],
  ['link', 'href', 'prefetch'],
] as const

/**
 * Requests a URL in one way and returns what a page can observe, as text. Of an element that means its size, and
 * the number of frames in it.
 *
 * The browser may report a violation of the content policy after the `load` event of the request. A frame at
 * another host ends the attempt: its violation is reported after all earlier ones.
 */
function observe(page: Page, way: readonly string[], url: string): Promise<string> {
  return page.evaluate(
    async ([kind = '', attribute = '', rel], address, last) => {
      const violations: string[] = []
      const frame = document.createElement('iframe')
      let noteLast: () => void
      const lastReported = new Promise<void>((resolve) => {
        noteLast = resolve
      })
      const note = ({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
        if (blockedURI.startsWith(last)) return noteLast()
        // The browser requests the icon of the page by itself, at a time of its own.
        if (!blockedURI.endsWith('/favicon.ico')) violations.push(effectiveDirective)
      }
      document.addEventListener('securitypolicyviolation', note)
      const settled = async () => {
        if (kind === 'fetch') return (await fetch(address, { mode: 'no-cors' })).type
        if (kind === 'cors') return (await fetch(address)).type
        if (kind === 'beacon') return navigator.sendBeacon(address, 'x')
        if (kind === 'font') return (await new FontFace('f', `url(${address})`).load()).status
        const socket =
          (kind === 'EventSource' && new EventSource(address)) ||
          (kind === 'WebSocket' && new WebSocket(address.replace('https', 'wss')))
        const target = socket || document.createElement(kind)
        return new Promise<string>((resolve) => {
          for (const name of ['load', 'error']) {
            target.addEventListener(name, () => {
              if (socket) return resolve(name)
              const element = target as HTMLIFrameElement
              const { width, height } = element.getBoundingClientRect()
              const inside = element.contentWindow?.length
              resolve([name, width, height, inside, getComputedStyle(element).display].join())
            })
          }
          if (socket) return
          const element = target as HTMLElement
          if (rel) element.setAttribute('rel', rel)
          if (rel === 'preload') element.setAttribute('as', 'image')
          element.setAttribute(attribute, address)
          document.body.append(element)
        })
      }
      const outcome = await settled().catch((error: unknown) => (error as Error).name)
      frame.src = last
      document.body.append(frame)
      await lastReported
      frame.remove()
      document.removeEventListener('securitypolicyviolation', note)
      return JSON.stringify([outcome, violations])
    },
    [...way],
    url,
    LAST,
  )
}

/** Returns the entries of the page's timeline for a host, without the name of the host. */
function timeline(page: Page, host: string): Promise<string[]> {
  return page.evaluate(
    (name) =>
      performance
        .getEntriesByType('resource')
        .map((entry) => entry.toJSON())
        .filter((entry) => entry.name.includes(name))
        .map(({ name: url, initiatorType, responseStatus, nextHopProtocol }) =>
          [url.replace(name, ''), initiatorType, responseStatus, nextHopProtocol].join(' '),
        )
        .sort(),
    host,
  )
}

/** Opens a window at a URL, as a page does after a click, and waits until the page loses sight of it. */
function observeWindow(page: Page, url: string): Promise<string> {
  return page.evaluate(async (address) => {
    const opened = window.open(address)
    if (!opened) return 'no window'
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      try {
        if (opened.location.href === '') break
      } catch (error) {
        return [(error as Error).name, opened.closed, opened.length, history.length].join()
      }
    }
    return 'readable'
  }, url)
}

/** The host of the redirect URI, and a host of the same form of an extension that does not exist. */
function hosts({ redirectBase }: SitesStage): [own: string, control: string] {
  const { host } = new URL(redirectBase)
  const [label = '', ...domain] = host.split('.')
  return [host, [[...label].reverse().join(''), ...domain].join('.')]
}

const reached = ({ outside }: SitesStage, url: string) => outside.requests.includes(url)

describe('a site that looks for the extension', () => {
  const ways = [
    ...ELEMENTS,
    ...['fetch', 'cors', 'beacon', 'font', 'EventSource', 'WebSocket'].map((kind) => [kind]),
  ]
  test('A04: observes no difference between the redirect URI’s host and another host', async ({
    sitesStage,
    curious,
  }) => {
    const [own, control] = hosts(sitesStage)
    for (const way of ways) {
      for (const place of ['', ':8443', '/path?code=x&state=y']) {
        const path = place.startsWith('/') ? place : `${place}/?${way.join('-')}`
        const [seen, expected] = [
          await observe(curious, way, `https://${own}${path}`),
          await observe(curious, way, `https://${control}${path}`),
        ]
        expect(seen, `${way} ${path}`).toBe(expected)
      }
    }
    expect(reached(sitesStage, `https://${own}/?img-src`)).toBe(true)
    // A page does not wait for some of its requests, such as a beacon.
    const pathsAt = (host: string) =>
      sitesStage.outside.requests
        .filter((url) => new URL(url).hostname === host)
        .map((url) => url.replace(host, ''))
        .sort()
    await expect
      .poll(() => [pathsAt(own), pathsAt(control)])
      .toSatisfy(([seen, expected]) => String(seen) === String(expected))
    // An entry may come after the event of its request, at a time of its own.
    await expect
      .poll(async () => {
        const [seen = [], expected] = await Promise.all(
          [own, control].map((host) => timeline(curious, host)),
        )
        return seen.length > 0 && seen.join() === expected?.join()
      })
      .toBe(true)
  })

  test('A04: a window at that host is like a window at another host', async ({
    sitesStage,
    curious,
  }) => {
    const [own, control] = hosts(sitesStage)
    for (const scheme of ['https', 'http']) {
      const path = '/abc?code=x&state=y&iss=z'
      for (const host of [control, own]) {
        await inFront(curious)
        expect(await observeWindow(curious, `${scheme}://${host}${path}`)).toMatch(
          /^SecurityError,false,0,/,
        )
        await until(`the request of ${scheme}://${host}`, async () =>
          sitesStage.outside.requests.some((url) => url.endsWith(`://${host}${path}`)),
        )
        sitesStage.outside.requests.length = 0
      }
    }
  })

  // Firefox gives the extension another address with each installation.
  if (BROWSER === 'chromium')
    test('A04: an address of the extension is like one of an extension that is not installed', async ({
      curious,
    }) => {
      const absent = [...CHROMIUM_ID].reverse().join('')
      for (const file of ['icons/16.png', 'ui/popup/index.html', 'manifest.json', 'none']) {
        for (const way of [...ELEMENTS.slice(0, 7), ['fetch'], ['cors']]) {
          const [seen, expected] = [
            await observe(curious, way, `chrome-extension://${CHROMIUM_ID}/${file}`),
            await observe(curious, way, `chrome-extension://${absent}/${file}`),
          ]
          expect(seen, `${way} ${file}`).toBe(expected)
        }
      }
    })
})

describe('a page of an operator', () => {
  test('R01: in a window that it opens, the response reaches nobody', async ({
    sitesStage,
    curious: _,
  }) => {
    const operator = await sitesStage.open(OPERATOR)
    const [own, control] = hosts(sitesStage)
    for (const host of [own, control]) {
      await inFront(operator)
      await operator.evaluate((url) => {
        window.open(url)
      }, `https://${host}/abc?code=x&state=y`)
    }
    await until('the request at the other host', async () =>
      reached(sitesStage, `https://${control}/abc?code=x&state=y`),
    )
    expect(atRedirectHost(sitesStage)).toEqual([])
  })
})
