/**
 * Tests section 1 of the contract, its last line: the small client for pages, built as pages load it.
 *
 * Seen to fail when:
 * - `findBroker` rejects or waits forever if there is no broker;
 * - `fetch` returns the broker's result unchanged;
 * - `createFetchWithToken` sends no nonce, or names neither the token of a proof nor a refused token.
 */

import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { describe, expect } from 'vitest'
import type { FaultRule } from '../../../demo-site/network/index.ts'
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

  const tokenTest = test
    .extend('options', { operator: { dpop: 'required' } })
    .extend('wish', { mode: 'token' })

  tokenTest(
    'F02, F03: a page calls with its own token, proof and nonce; a refused token is renewed once, then it is 4210',
    async ({ stage, page, granted, client }) => {
      await page.addScriptTag({ content: client })
      const url = `${granted.apis[0]?.resource}/cloud-gaming/subscriptions`
      await page.evaluate(async () => {
        const { northkey } = window as unknown as { northkey: Client }
        const broker = await northkey.findBroker({ timeoutMs: 3_000 })
        if (!broker) return
        const fetchWithToken = northkey.createFetchWithToken(broker)
        const statusOf = (target: string) =>
          fetchWithToken(target).then(
            ({ status }) => status,
            (error: { code: number }) => error.code,
          )
        Object.assign(window, { statusOf })
      })
      const call = () =>
        page.evaluate(
          (target) =>
            (window as unknown as { statusOf(url: string): Promise<number> }).statusOf(target),
          url,
        )
      expect(await call()).toBe(200)
      const refused: FaultRule = {
        server: 'api-exposing-functions',
        method: 'GET',
        action: {
          type: 'status',
          status: 401,
          headers: {
            'access-control-allow-origin': '*',
            'access-control-expose-headers': 'WWW-Authenticate',
            'www-authenticate': 'DPoP error="invalid_token"',
          },
        },
      }
      stage.network.faults.add({ ...refused, times: 1 })
      expect(await call()).toBe(200)
      stage.network.faults.add(refused)
      expect(await call()).toBe(4210)
      stage.network.faults.clear()
      expect(await call()).toBe(4210)
      const calls = stage.network.log.filter({ server: 'api-exposing-functions', method: 'GET' })
      const tokens = new Set(calls.map(({ headers }) => headers.authorization))
      expect(tokens.size).toBe(2)
    },
  )
})
