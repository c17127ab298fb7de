/**
 * Section 1 of the contract, its last line: the small client for pages, as it is built for them.
 *
 * Seen to fail when: `findBroker` rejects or waits for ever where there is no broker; `fetch` gives the
 * broker's result as it came.
 */

import { fileURLToPath } from 'node:url'
import type { Page } from 'puppeteer-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as PageClient from '../../../shared/page/index.ts'
import { gesture, startQuietStage } from '../support/known-subscriber.ts'
import { aGrant } from '../support/shapes.ts'
import { BROWSERS, type Stage } from '../support/stage.ts'

type Client = typeof PageClient

/** The client as one classic script with a global, `northkey`. */
async function buildClient(): Promise<string> {
  const entry = fileURLToPath(new URL('../../../shared/page/index.ts', import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry, formats: ['iife'], name: 'northkey' } },
  })
  const [bundle] = [built].flat()
  if (!bundle || !('output' in bundle)) throw new Error('no bundle')
  return bundle.output[0].code
}

describe.each(BROWSERS)('in %s, the client for pages', (name) => {
  let stage: Stage
  let page: Page
  let script: string

  beforeAll(async () => {
    script = await buildClient()
    ;({ stage, page } = await startQuietStage(name))
    await page.addScriptTag({ content: script })
  })
  afterAll(() => stage?.close())

  test('discovery: findBroker resolves to undefined where there is none', async () => {
    const elsewhere = await stage.browser.newPage()
    await elsewhere.goto('https://other.example/')
    await elsewhere.addScriptTag({ content: script })
    const found = await elsewhere.evaluate(async () => {
      const { northkey } = window as unknown as { northkey: Client }
      return String(await northkey.findBroker({ timeoutMs: 200 }))
    })
    expect(found).toBe('undefined')
    await elsewhere.close()
  })

  test('discovery: typed methods over request, and fetch returns a real Response', async () => {
    await gesture(page)
    const seen = await page.evaluate(async (wish) => {
      const { northkey } = window as unknown as { northkey: Client }
      const broker = await northkey.findBroker({ timeoutMs: 3_000 })
      if (!broker) return undefined
      let heard = 0
      const stop = broker.on('grantRevoked', () => heard++)
      const info = await broker.getInfo()
      const grant = await broker.connect(wish)
      const { grantId, apis } = grant
      const url = `${apis[0]?.resource}/cloud-gaming/subscriptions`
      const response = await broker.fetch(url)
      const answer = {
        isResponse: response instanceof Response,
        url: response.url === url,
        status: response.status,
        type: response.headers.get('content-type'),
        list: Array.isArray(await response.json()),
      }
      const token = await broker.getAccessToken({ grantId }).catch(northkey.isProviderError)
      const proof = await broker
        .createProof({ grantId, htm: 'GET', htu: url })
        .catch(northkey.isProviderError)
      const grants = await broker.getGrants()
      const revoked = await broker.revoke({ grantId })
      stop()
      return { protocol: info.protocol, grant, answer, token, proof, grants, revoked, heard }
    }, stage.wish())
    const grantId = seen?.grant.grantId
    expect(seen).toStrictEqual({
      protocol: '1',
      grant: aGrant({ mode: 'fetch' }),
      answer: {
        isResponse: true,
        url: true,
        status: 200,
        type: expect.stringMatching(/^application\/json/),
        list: true,
      },
      token: true,
      proof: true,
      grants: [seen?.grant],
      revoked: { revoked: [grantId], pending: [] },
      heard: 1,
    })
  })
})
