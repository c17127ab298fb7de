/**
 * Tests section 1 of the contract, its last line: the small client for pages, built as pages load it.
 *
 * Seen to fail when:
 * - `findBroker` rejects or waits forever if there is no broker;
 * - `fetch` returns the broker's result unchanged.
 */

import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { describe, expect } from 'vitest'
import type * as PageClient from '../../../shared/page/index.ts'
import { test as base } from '../fixtures.ts'
import { signInBeforehand } from '../support/known-subscriber.ts'
import { openPage } from '../support/pages.ts'
import { aGrant } from '../support/shapes.ts'
import { gesture } from '../support/stage.ts'

type Client = typeof PageClient

/** Builds the client as a single classic script with a global, `northkey`. */
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

const test = base.extend('client', { scope: 'file' }, () => buildClient())

describe('the client for pages', () => {
  test('discovery: findBroker resolves to undefined where there is none', async ({
    stage,
    client,
  }) => {
    const elsewhere = await openPage(stage.browser, 'https://other.example/')
    await elsewhere.addScriptTag({ content: client })
    const found = await elsewhere.evaluate(async () => {
      const { northkey } = window as unknown as { northkey: Client }
      return String(await northkey.findBroker({ timeoutMs: 200 }))
    })
    expect(found).toBe('undefined')
  })

  test('discovery: typed methods over request, and fetch returns a real Response', async ({
    stage,
    page,
    client,
  }) => {
    await signInBeforehand(stage)
    await page.addScriptTag({ content: client })
    await gesture(page)
    const seen = await page.evaluate(async (wish) => {
      const { northkey } = window as unknown as { northkey: Client }
      const broker = await northkey.findBroker({ timeoutMs: 3_000 })
      if (!broker) return undefined
      let revocations = 0
      const stop = broker.on('grantRevoked', () => revocations++)
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
      return { protocol: info.protocol, grant, answer, token, proof, grants, revoked, revocations }
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
      revocations: 1,
    })
  })
})
