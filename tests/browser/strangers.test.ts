/**
 * Tests strangers: other origins, frames and embedding pages get nothing that belongs to a page with a grant.
 *
 * Seen to fail when grants are read without a check of their origin (C01, B01, B25). The frame tests were seen to fail when the scripts enter
 * all frames and the provider announces itself in any frame (the `data:` frame in Firefox only); B04 also
 * without the check of `frameId`.
 */

import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test } from './fixtures.ts'
import { findsBroker } from './support/discovery.ts'
import { openPage } from './support/pages.ts'
import { authorizationRequests, call } from './support/stage.ts'

interface Theft {
  /** Stops reading. @returns The addresses that the script could read. */
  endTheft?: () => string[]
}

/** A page script that runs a flow in a window and in a frame, and reads their addresses repeatedly. */
function startTheft(address: string): void {
  const opened = window.open(address)
  const frame = document.createElement('iframe')
  frame.src = address
  document.body.append(frame)
  const found = new Set<string>()
  const read = () => {
    for (const target of [opened, frame.contentWindow]) {
      try {
        found.add(String(target?.location.href))
      } catch {
        // The address of another origin cannot be read.
      }
    }
  }
  read()
  const reading = setInterval(read, 10)
  const endTheft = () => {
    read()
    clearInterval(reading)
    opened?.close()
    return [...found]
  }
  Object.assign(window, { endTheft })
}

describe('beside a page that has a grant', () => {
  test('C01, B01: a page on another origin gets no grant, no token and no call', async ({
    stage,
    page,
    granted,
    stranger,
  }) => {
    const { grantId } = granted
    const [api] = stage.wish().apis
    const before = stage.network.log.entries.length
    expect((await call<Grant[]>(stranger, 'northbound_getGrants')).result).toEqual([])
    const wishes: [method: string, params?: object][] = [
      ['northbound_connect', stage.wish()],
      ['northbound_connect', stage.wish({ clientId: 'cloud-gaming' })],
      ['northbound_getAccessToken', {}],
      ['northbound_getAccessToken', { grantId }],
      ['northbound_fetch', { url: `${api?.resource}/x/subscriptions` }],
      ['northbound_fetch', { url: `${api?.resource}/x/subscriptions`, grantId }],
      ['northbound_revoke', { grantId }],
    ]
    for (const [method, params] of wishes) {
      expect((await call(stranger, method, params)).error, method).toMatchObject({
        code: ERROR_CODE.noGrant,
        data: { error: 'no_grant' },
      })
    }
    expect(stage.network.log.entries).toHaveLength(before)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toHaveLength(1)
  })

  test('B25: what is not there and what belongs to another look the same', async ({
    stage,
    granted,
    stranger,
  }) => {
    const { grantId } = granted
    const theirs = await call(stranger, 'northbound_revoke', { grantId })
    const none = await call(stranger, 'northbound_revoke', { grantId: crypto.randomUUID() })
    expect(theirs).toEqual(none)
    const known = await call(stranger, 'northbound_connect', stage.wish())
    const unknown = await call(
      stranger,
      'northbound_connect',
      stage.wish({ issuer: 'https://unknown.example' }),
    )
    expect(known).toEqual(unknown)
  })

  const frames: [title: string, frame: (origin: string) => string][] = [
    ['B03: of the same origin', () => '<iframe src="/framed"></iframe>'],
    ['B03: of another origin', (origin) => `<iframe src="${origin}/"></iframe>`],
    ['B02: sandboxed', () => '<iframe src="/framed" sandbox="allow-scripts"></iframe>'],
    ['B05: srcdoc', () => `<iframe srcdoc="&lt;p&gt;framed&lt;/p&gt;"></iframe>`],
    ['B05: about:blank', () => '<iframe src="about:blank"></iframe>'],
    ['B05: data', () => '<iframe src="data:text/html,framed"></iframe>'],
    [
      'B05: blob',
      () => `<script>
        const frame = document.createElement('iframe')
        frame.src = URL.createObjectURL(new Blob(['framed'], { type: 'text/html' }))
        document.documentElement.append(frame)
      </script>`,
    ],
  ]
  test.for(frames)(
    'a frame %s finds no broker',
    async ([, frame], { stage, strangerApplication }) => {
      stage.application.routes.set('/framing', { html: frame(strangerApplication.origin) })
      const framing = await stage.open('/framing')
      expect(await findsBroker(framing)).toBe(true)
      const [, framed] = framing.frames()
      expect(framed && (await findsBroker(framed))).toBe(false)
    },
  )

  test('B04: the page that has a grant, framed by another, finds no broker there', async ({
    stage,
    page,
    granted,
    strangerApplication,
  }) => {
    expect(granted).toBeDefined()
    const framed = `<iframe src="${stage.application.origin}/"></iframe>`
    strangerApplication.routes.set('/embedding', { html: framed })
    stage.application.routes.set('/embedding', {
      html: `<iframe src="${strangerApplication.origin}/embedding"></iframe>`,
    })
    for (const top of [strangerApplication.origin, stage.application.origin]) {
      const embedding = await openPage(stage.browser, `${top}/embedding`)
      const frame = embedding
        .frames()
        .find(
          (candidate) =>
            candidate.parentFrame() && candidate.url() === `${stage.application.origin}/`,
        )
      expect(frame && (await findsBroker(frame))).toBe(false)
    }
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toHaveLength(1)
  })

  test('a page cannot reach the table of the broker’s own screens', async ({ page, granted }) => {
    const { grantId } = granted
    for (const method of ['getConsentRequest', 'approve', 'listGrants', 'revokeGrant']) {
      expect((await call(page, method, { flowId: grantId, grantId })).error).toMatchObject({
        code: ERROR_CODE.unsupportedMethod,
      })
    }
  })

  test('R25: a page that runs a flow of its own with the same client gets no code', async ({
    stage,
    granted,
  }) => {
    expect(granted).toBeDefined()
    const [request] = authorizationRequests(stage)
    const own = [String(request?.query.redirect_uri), `${stage.application.origin}/callback`]
    const leaks: string[] = []
    for (const redirectUri of own) {
      const url = new URL(`${stage.network.issuer}${request?.path}`)
      for (const [key, value] of Object.entries(request?.query ?? {})) {
        for (const text of [value].flat()) url.searchParams.append(key, text)
      }
      url.searchParams.set('redirect_uri', redirectUri)
      url.searchParams.set('state', 'chosen by the page')
      stage.network.log.clear()
      const thief = await stage.open('/thief')
      await thief.evaluate(startTheft, url.href)
      // A flow in a window, and a flow in a frame.
      const answered = () =>
        authorizationRequests(stage).filter(({ status }) => status !== undefined).length
      await expect.poll(answered).toBe(2)
      // Barrier: a request that is sent after the redirects has arrived.
      await openPage(stage.browser, 'https://after.example/')
      const seen = await thief.evaluate(() => (window as Window & Theft).endTheft?.() ?? [])
      expect(seen).toContain('about:blank')
      leaks.push(...seen.filter((address) => address.includes('code=')))
    }
    expect(leaks).toEqual([])
    expect(stage.application.requests.filter((line) => line.includes('code='))).toEqual([])
    expect(stage.outside.requests).toContain('https://after.example/')
    // The response of a page's own flow goes to the host of the redirect URI, where nobody is, and to no other.
    const withCode = stage.outside.requests.filter((url) => url.includes('code='))
    expect(withCode.filter((url) => !url.startsWith(stage.redirectBase))).toEqual([])
  })
})
