/**
 * Tests targets, methods and header fields that a page names in `northbound_fetch` for a call that its grant
 * does not cover. The broker rejects every row before it sends a request, so the rows share a stage.
 *
 * Seen to fail when only the origin of a URL is compared (B17, B19), when methods or header fields are not
 * checked (B17), and when the path of a URL is not checked (rows of dots).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { expectServed, subscriptionsUrl } from '../browser/support/api-calls.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { call, type Stage, startStage } from '../browser/support/stage.ts'

let stage: Stage
let page: Page
let grant: Grant

test.beforeAll(async ({ hosts }) => {
  stage = await startStage(await hosts.get())
  page = await stage.open()
  const { result } = await connectQuickly(stage, page)
  if (!result) throw new Error('no grant')
  grant = result
})
test.afterAll(() => stage?.close())

/** Returns the answer to a call, and expects that no server received a request. */
async function refused(params: object) {
  const { log } = stage.network
  const before = log.entries.length
  const beforeOutside = stage.outside.requests.length
  const { error } = await call(page, 'northbound_fetch', params)
  expect(log.entries).toHaveLength(before)
  expect(stage.outside.requests).toHaveLength(beforeOutside)
  return error
}

describe('a sealed call', () => {
  test('B17: reaches what the grant covers', async () => {
    await expectServed(page, grant)
  })

  const tricks: [title: string, make: (base: URL) => string][] = [
    ['a path beside the resource', (base) => `${base.origin}/3gpp-monitoring-event/v1/x`],
    ['a longer last segment', (base) => `${base.href}0/x`],
    ['dots', (base) => `${base.href}/../../3gpp-monitoring-event/v1/x`],
    ['encoded dots', (base) => `${base.href}/%2e%2e/%2E%2E/3gpp-monitoring-event/v1/x`],
    ['an encoded slash', (base) => `${base.href}/..%2f..%2f3gpp-monitoring-event/v1/x`],
    ['backslashes', (base) => `${base.origin}\\3gpp-monitoring-event\\v1\\x`],
    ['overlong dots', (base) => `${base.href}/%c0%ae%c0%ae/%C0%AE%C0%AE/monitoring`],
    ['dots as %u', (base) => `${base.href}/%u002e%u002e/%u002e./monitoring`],
    ['an escape in pieces', (base) => `${base.href}/%%32%65%%32%65/monitoring`],
    ['dots with a space', (base) => `${base.href}/..%20/..%20/monitoring`],
    ['dots of full width', (base) => `${base.href}/．．/%EF%BC%8E%EF%BC%8E/monitoring`],
    ['dots with parameters', (base) => `${base.href}/..;/..;/3gpp-monitoring-event/v1/x`],
    ['an empty segment', (base) => `${base.origin}//evil.example${base.pathname}`],
    ['user information', (base) => `http://user@${base.host}${base.pathname}/x`],
    [
      'a host that only begins alike',
      (base) => `http://${base.hostname}.evil.example${base.pathname}`,
    ],
    ['another port', (base) => `http://${base.hostname}:1${base.pathname}/x`],
    ['another scheme', (base) => `https://${base.host}${base.pathname}/x`],
    ['the worker’s own files', () => 'chrome-extension://x/manifest.json'],
    ['a file', () => 'file:///etc/hosts'],
    ['data', () => 'data:text/plain,x'],
    ['a private address', () => 'http://169.254.169.254/latest/meta-data'],
    ['the authorization function', () => `${stage.network.issuer}/token`],
  ]
  test.each(tricks)('B17, B19, A11g: a sealed call does not reach %s', async (_, make) => {
    const url = make(new URL(grant.apis[0]?.resource ?? ''))
    expect([4100, -32602]).toContain((await refused({ url }))?.code)
  })

  test.each(['TRACE', 'CONNECT', 'OPTIONS', 'HEAD', 'get x', 'PROPFIND'])(
    'B17: not with the method %s',
    async (method) => {
      const error = await refused({ url: subscriptionsUrl(grant), method })
      expect(error).toMatchObject({ code: -32602 })
    },
  )

  test.each([
    'Authorization',
    'cookie',
    'DPoP',
    'Host',
    'X-HTTP-Method-Override',
    'Proxy-Authorization',
  ])('B17: not with the header %s', async (header) => {
    const error = await refused({ url: subscriptionsUrl(grant), headers: { [header]: 'x' } })
    expect(error).toMatchObject({ code: -32602 })
  })
})
