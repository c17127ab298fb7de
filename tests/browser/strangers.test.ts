/**
 * Who has not been allowed gets nothing: other origins, frames, look-alikes.
 *
 * Seen to fail when grants are read without asking whose they are (C01, B01, B25), and without the rule that
 * blocks the host of the redirect URI (R25). The frames were seen to fail with the scripts in all frames
 * and a provider that announces in any of them, that of `data:` in Firefox alone; B04 also without the check
 * of `frameId`.
 */

import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from './support/application.ts'
import {
  authorizationRequests,
  BROWSERS,
  call,
  connect,
  type Stage,
  startStage,
} from './support/stage.ts'

/** Whether a script in this frame is answered, as the page's own would be. */
function findsBroker(frame: Frame | undefined): Promise<boolean> | undefined {
  return frame?.evaluate(
    () =>
      new Promise<boolean>((resolve) => {
        window.addEventListener('northbound:announceProvider', () => resolve(true))
        window.dispatchEvent(new Event('northbound:requestProvider'))
        setTimeout(resolve, 500, false)
      }),
  )
}

describe.each(BROWSERS)('in %s, beside a page that has a grant', (name) => {
  let stage: Stage
  let stranger: ApplicationServer
  let page: Page
  let grantId: string

  beforeAll(async () => {
    stage = await startStage(name)
    stranger = await startApplication()
    page = await stage.open()
    grantId = (await connect(stage, page)).result?.grantId ?? ''
    expect(grantId).not.toBe('')
  })
  afterAll(async () => {
    await stage?.close()
    await stranger?.close()
  })

  test('C01, B01: a page on another origin gets no grant, no token and no call', async () => {
    const other = await stage.browser.newPage()
    await other.goto(stranger.origin)
    const [api] = stage.wish().apis
    const before = stage.network.log.entries.length
    expect((await call<Grant[]>(other, 'northbound_getGrants')).result).toEqual([])
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
      expect((await call(other, method, params)).error, method).toMatchObject({
        code: ERROR_CODE.noGrant,
        data: { error: 'no_grant' },
      })
    }
    expect(stage.network.log.entries).toHaveLength(before)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toHaveLength(1)
    await other.close()
  })

  test('B25: what is not there and what belongs to another look the same', async () => {
    const other = await stage.browser.newPage()
    await other.goto(stranger.origin)
    const theirs = await call(other, 'northbound_revoke', { grantId })
    const none = await call(other, 'northbound_revoke', { grantId: crypto.randomUUID() })
    expect(theirs).toEqual(none)
    const known = await call(other, 'northbound_connect', stage.wish())
    const unknown = await call(
      other,
      'northbound_connect',
      stage.wish({ issuer: 'https://unknown.example' }),
    )
    expect(known).toEqual(unknown)
    await other.close()
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
  test.each(frames)('a frame %s finds no broker', async (_, frame) => {
    stage.application.routes.set('/framing', { html: frame(stranger.origin) })
    const framing = await stage.open('/framing')
    expect(await framing.evaluate(async () => (await window.broker()) !== undefined)).toBe(true)
    expect(await findsBroker(framing.frames()[1])).toBe(false)
    await framing.close()
  })

  test('B04: the page that has a grant, framed by another, finds no broker there', async () => {
    const framed = `<iframe src="${stage.application.origin}/"></iframe>`
    stranger.routes.set('/embedding', { html: framed })
    stage.application.routes.set('/embedding', {
      html: `<iframe src="${stranger.origin}/embedding"></iframe>`,
    })
    for (const top of [stranger.origin, stage.application.origin]) {
      const embedding = await stage.browser.newPage()
      await embedding.goto(`${top}/embedding`)
      const frame = embedding
        .frames()
        .find((each) => each.parentFrame() && each.url() === `${stage.application.origin}/`)
      expect(await frame?.evaluate(() => location.origin)).toBe(stage.application.origin)
      expect(await findsBroker(frame)).toBe(false)
      await embedding.close()
    }
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toHaveLength(1)
  })

  test('a page cannot reach the table of the broker’s own screens', async () => {
    for (const method of ['getConsentRequest', 'approve', 'listGrants', 'revokeGrant']) {
      expect((await call(page, method, { flowId: grantId, grantId })).error).toMatchObject({
        code: ERROR_CODE.unsupportedMethod,
      })
    }
  })

  test('R25: a page that runs a flow of its own with the same client gets no code', async () => {
    const before = authorizationRequests(stage).length
    const [request] = authorizationRequests(stage)
    const leaks: string[] = []
    for (const redirectUri of [
      String(request?.query.redirect_uri),
      `${stage.application.origin}/callback`,
    ]) {
      const url = new URL(`${stage.network.issuer}${request?.path}`)
      for (const [key, value] of Object.entries(request?.query ?? {})) {
        for (const one of [value].flat()) url.searchParams.append(key, one)
      }
      url.searchParams.set('redirect_uri', redirectUri)
      url.searchParams.set('state', 'chosen by the page')
      const thief = await stage.open('/thief')
      const seen = await thief.evaluate(async (address) => {
        const opened = window.open(address)
        const frame = document.createElement('iframe')
        frame.src = address
        document.body.append(frame)
        const found: string[] = []
        for (let i = 0; i < 20; i++) {
          await new Promise((resolve) => setTimeout(resolve, 100))
          for (const target of [opened, frame.contentWindow]) {
            try {
              found.push(String(target?.location.href))
            } catch {
              // Another origin: nothing to read.
            }
          }
        }
        opened?.close()
        return found
      }, url.href)
      leaks.push(...seen.filter((address) => address.includes('code=')))
      await thief.close()
    }
    expect(authorizationRequests(stage).length).toBeGreaterThan(before)
    expect(leaks).toEqual([])
    expect(stage.application.requests.filter((line) => line.includes('code='))).toEqual([])
    expect(stage.outside.requests.filter((url) => url.includes('code='))).toEqual([])
  })
})
