/**
 * Tokens that are bound to a key, in sealed calls of the built extension: rows D of the catalogue, by
 * the log of both servers. @see RFC 9449
 *
 * Seen to fail when a proof is sent again as it was (D03, D06, D08), when nonces are kept for all servers
 * together (D05, D09), when a call is repeated as often as a server asks (D07), when a nonce of any
 * length is taken (D10), when a refused DPoP token is sent as a bearer token (D19), with one key for all
 * grants (D14), and when tokens stay whose key is lost (D13).
 */

import { createHash } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FaultAction, LogEntry } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type FetchResult, type Grant } from '../../shared/messages/page-api.ts'
import { gesture, startQuietStage } from './support/known-subscriber.ts'
import {
  authorizationRequests,
  BROWSERS,
  call,
  formOf,
  type Stage,
  tokenRequests,
} from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

interface Proof {
  jwk: { kty: string; crv: string; x: string; y: string }
  jti: string
  htm: string
  htu: string
  nonce?: string
  ath?: string
}

function proofOf({ headers }: LogEntry): Proof {
  const [header, payload] = String(headers.dpop)
    .split('.')
    .map((part) => part && Buffer.from(part, 'base64url').toString())
  return { ...JSON.parse(header ?? ''), ...JSON.parse(payload ?? '') }
}

describe.each(BROWSERS)('in %s, a token that is bound to a key', (name) => {
  let stage: Stage
  let page: Page
  let url: string
  const proofs: Proof[] = []

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name, { operator: { dpop: 'required' } }))
    url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    await gesture(page)
    const { result } = await call<Grant>(page, 'northbound_connect', stage.wish())
    expect(result?.tokenType).toBe('DPoP')
  })
  afterAll(() => stage?.close())
  afterEach(() => {
    proofs.push(...[...tokenRequests(stage), ...calls()].map(proofOf))
    stage.network.log.clear()
  })

  const calls = () => stage.network.log.filter({ server: 'api-exposing-functions' })
  const fetchIt = () => call<FetchResult>(page, 'northbound_fetch', { url })

  /** What the API answers to the next calls, one each, instead of doing anything. */
  async function answered(answers: FaultAction[], run: () => Promise<unknown>): Promise<void> {
    const server = 'api-exposing-functions'
    const ids = answers.map((action) => stage.network.faults.add({ server, times: 1, action }))
    try {
      await run()
    } finally {
      for (const id of ids) stage.network.faults.remove(id)
    }
  }

  const says = (status: number, headers: Record<string, string>): FaultAction => ({
    type: 'status',
    status,
    headers,
    body: '{}',
  })
  const wantsNonce = (nonce: string, scheme = 'DPoP') =>
    says(401, { 'www-authenticate': `${scheme} error="use_dpop_nonce"`, 'dpop-nonce': nonce })

  test('D05, D17: one more token request with the nonce, and the request named the key', async () => {
    const [first, second, ...more] = tokenRequests(stage)
    expect(more).toEqual([])
    expect([first?.status, second?.status]).toEqual([400, 200])
    expect(formOf(first)).toEqual(formOf(second))
    if (!first || !second) return expect.unreachable('two token requests')
    expect(proofOf(first).nonce).toBeUndefined()
    expect(proofOf(second).nonce).toBe(first.answerHeaders?.['dpop-nonce'])
    const [request] = authorizationRequests(stage)
    const { jwk } = proofOf(second)
    expect(request?.query.dpop_jkt).toBe(await calculateJwkThumbprint(jwk))
  })

  test('D03, D09: a call has the hash of its token, and a nonce of the API alone', async () => {
    const { result } = await fetchIt()
    expect(result?.status).toBe(200)
    const last = calls().at(-1)
    if (!last) return expect.unreachable('a call')
    const [scheme, token = ''] = String(last.headers.authorization).split(' ')
    expect(scheme).toBe('DPoP')
    const proof = proofOf(last)
    expect(proof).toMatchObject({ htm: 'GET', htu: url })
    expect(proof.ath).toBe(createHash('sha256').update(token).digest('base64url'))
    const [first] = calls()
    expect(first && proofOf(first).nonce).toBeUndefined()
    expect(proof.nonce).toBe(first?.answerHeaders?.['dpop-nonce'])
  })

  test('D06: the right challenge of several is read, whatever its case', async () => {
    const headers = {
      'www-authenticate': 'Bearer realm="x", dPoP algs="ES256", error="use_dpop_nonce"',
      'dpop-nonce': 'n-6',
    }
    await answered([says(401, headers), says(200, {})], async () => {
      expect((await fetchIt()).result?.status).toBe(200)
    })
    expect(calls().map((entry) => proofOf(entry).nonce)[1]).toBe('n-6')
  })

  test('D07: an API that asks for one nonce after the other gets two calls', async () => {
    const forever = ['a', 'b', 'c', 'd'].map((nonce) => wantsNonce(nonce))
    await answered(forever, async () => {
      expect((await fetchIt()).error?.code).toBe(ERROR_CODE.untrustedResponse)
    })
    expect(calls()).toHaveLength(2)
  })

  test('D08: the nonce of a success is in the next call', async () => {
    await answered([says(200, { 'dpop-nonce': 'n-8' }), says(200, {})], async () => {
      await fetchIt()
      await fetchIt()
    })
    expect(calls().map((entry) => proofOf(entry).nonce)[1]).toBe('n-8')
  })

  test('D10: a nonce that is none is left alone', async () => {
    await answered([wantsNonce('x'.repeat(10_000))], fetchIt)
    expect(calls()).toHaveLength(1)
  })

  test('D19: a challenge for a bearer token does not make it one', async () => {
    const bearer = () => says(401, { 'www-authenticate': 'Bearer error="invalid_token"' })
    await answered([bearer(), bearer(), bearer()], fetchIt)
    expect(calls().length).toBeGreaterThan(0)
    expect(calls().map(({ headers }) => String(headers.authorization).split(' ')[0])).toEqual(
      calls().map(() => 'DPoP'),
    )
  })

  test('D11: clocks that are ten minutes apart do no harm, where the server has nonces', async () => {
    for (const seconds of [600, -600]) {
      await call(page, 'northbound_revoke')
      const id = stage.network.faults.add({
        server: 'authorization-function',
        action: { type: 'clock', seconds },
      })
      await gesture(page)
      const { error } = await call<Grant>(page, 'northbound_connect', stage.wish())
      stage.network.faults.remove(id)
      expect(error).toBeUndefined()
    }
  })

  test('D04, D18: no two proofs are alike, neither in retries nor afterwards', () => {
    expect(proofs.length).toBeGreaterThan(12)
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(proofs.length)
  })

  test('D14: each grant has a key of its own', async () => {
    const keys = await Promise.all(proofs.map(({ jwk }) => calculateJwkThumbprint(jwk)))
    expect(new Set(keys).size).toBeGreaterThanOrEqual(3)
  })

  // The last one: it takes the key away.
  test('D13: tokens whose key is lost are not used: nothing is sent, and the grant gets new ones', async () => {
    const worker = await workerSwitch(stage)
    await worker.page.evaluate(async () => {
      const opening = indexedDB.open('northkey-keys')
      await new Promise((resolve) => {
        opening.onsuccess = resolve
      })
      opening.result.transaction('keys', 'readwrite').objectStore('keys').clear()
      opening.result.close()
    })
    await worker.stop()
    await worker.close()
    expect((await fetchIt()).error?.data.error).toBe('login_required')
    expect([...tokenRequests(stage), ...calls()]).toEqual([])
    expect((await fetchIt()).result?.status).toBe(200)
    const grants = tokenRequests(stage).map((entry) => formOf(entry).grant_type)
    expect(new Set(grants)).toEqual(new Set(['authorization_code']))
  })
})
