/**
 * Tests key-bound (DPoP) tokens in sealed calls of the built extension: rows D of the catalogue, judged by
 * the request logs of both servers.
 *
 * Seen to fail when:
 * - a proof is sent a second time unchanged (D03, D06, D08);
 * - all servers share a single nonce store (D05, D09);
 * - a call is repeated as often as a server asks (D07);
 * - a nonce of any length is accepted (D10);
 * - a rejected DPoP token is sent as a bearer token (D19);
 * - all grants share a single key (D14);
 * - tokens are kept after their key is lost (D13).
 *
 * @see RFC 9449
 */

import { createHash } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FaultAction, LogEntry } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type FetchResult, type Grant } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { clearStore } from './support/databases.ts'
import { connectFurther, signInBeforehand } from './support/known-subscriber.ts'
import {
  authorizationRequests,
  type Called,
  call,
  formOf,
  gesture,
  type Stage,
  tokenRequests,
} from './support/stage.ts'

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

const apiCalls = ({ network }: Stage): LogEntry[] =>
  network.log.filter({ server: 'api-exposing-functions' })

const allProofs = (stage: Stage): Proof[] =>
  [...tokenRequests(stage), ...apiCalls(stage)].map(proofOf)

const urlOf = (stage: Stage) => `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`

const callApi = (stage: Stage, page: Page): Promise<Called<FetchResult>> =>
  call(page, 'northbound_fetch', { url: urlOf(stage) })

/** Makes the API answer the next calls with these responses, in order, and do nothing else. */
function answerNext({ network }: Stage, ...answers: FaultAction[]): void {
  for (const action of answers) {
    network.faults.add({ server: 'api-exposing-functions', times: 1, action })
  }
}

const answer = (status: number, headers: Record<string, string> = {}): FaultAction => ({
  type: 'status',
  status,
  headers,
  body: '{}',
})

const wantNonce = (nonce: string): FaultAction =>
  answer(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce })

describe('a token that is bound to a key', () => {
  const test = base.extend('options', { operator: { dpop: 'required' } })

  test('D05, D17: one more token request with the nonce, and the request named the key', async ({
    stage,
    granted: { tokenType },
  }) => {
    expect(tokenType).toBe('DPoP')
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

  test('D03, D09: a call has the hash of its token, and a nonce of the API alone', async ({
    stage,
    page,
    granted: _,
  }) => {
    const { result } = await callApi(stage, page)
    expect(result?.status).toBe(200)
    const [first, last, ...more] = apiCalls(stage)
    if (!first || !last) return expect.unreachable('two calls')
    expect(more).toEqual([])
    const [scheme, token = ''] = String(last.headers.authorization).split(' ')
    expect(scheme).toBe('DPoP')
    const proof = proofOf(last)
    expect(proof).toMatchObject({ htm: 'GET', htu: urlOf(stage) })
    expect(proof.ath).toBe(createHash('sha256').update(token).digest('base64url'))
    expect(proofOf(first).nonce).toBeUndefined()
    expect(proof.nonce).toBe(first.answerHeaders?.['dpop-nonce'])
  })

  test('D06: the right challenge of several is read, whatever its case', async ({
    stage,
    page,
    granted: _,
  }) => {
    const headers = {
      'www-authenticate': 'Bearer realm="x", dPoP algs="ES256", error="use_dpop_nonce"',
      'dpop-nonce': 'n-6',
    }
    answerNext(stage, answer(401, headers), answer(200))
    expect((await callApi(stage, page)).result?.status).toBe(200)
    expect(apiCalls(stage).map((entry) => proofOf(entry).nonce)).toEqual([undefined, 'n-6'])
  })

  test('D07: an API that asks for one nonce after the other gets two calls', async ({
    stage,
    page,
    granted: _,
  }) => {
    answerNext(stage, ...['a', 'b', 'c', 'd'].map(wantNonce))
    const { error } = await callApi(stage, page)
    expect(error?.code).toBe(ERROR_CODE.untrustedResponse)
    expect(apiCalls(stage)).toHaveLength(2)
  })

  test('D08: the nonce of a success is in the next call', async ({ stage, page, granted: _ }) => {
    answerNext(stage, answer(200, { 'dpop-nonce': 'n-8' }), answer(200))
    await callApi(stage, page)
    await callApi(stage, page)
    expect(apiCalls(stage).map((entry) => proofOf(entry).nonce)).toEqual([undefined, 'n-8'])
  })

  test('D10: a nonce that is none is left alone', async ({ stage, page, granted: _ }) => {
    answerNext(stage, wantNonce('x'.repeat(10_000)))
    await callApi(stage, page)
    expect(apiCalls(stage)).toHaveLength(1)
  })

  test('D19: a challenge for a bearer token does not make it one', async ({
    stage,
    page,
    granted: _,
  }) => {
    const bearer = answer(401, { 'www-authenticate': 'Bearer error="invalid_token"' })
    answerNext(stage, bearer, bearer, bearer)
    await callApi(stage, page)
    const schemes = apiCalls(stage).map(
      ({ headers }) => String(headers.authorization).split(' ')[0],
    )
    expect(new Set(schemes)).toEqual(new Set(['DPoP']))
  })

  test.for([600, -600])(
    'D11: clocks that are ten minutes apart do no harm, where the server has nonces (%i seconds)',
    async (seconds, { stage, page }) => {
      await signInBeforehand(stage)
      stage.network.faults.add({
        server: 'authorization-function',
        action: { type: 'clock', seconds },
      })
      await gesture(page)
      const { error } = await call<Grant>(page, 'northbound_connect', stage.wish())
      expect(error).toBeUndefined()
    },
  )

  test('D04, D18: no two proofs are alike, neither in retries nor afterwards', async ({
    stage,
    page,
    granted: _,
  }) => {
    answerNext(stage, wantNonce('a'), answer(200), wantNonce('b'), answer(503), answer(200))
    for (let calls = 0; calls < 3; calls++) await callApi(stage, page)
    const proofs = allProofs(stage)
    expect(proofs.length).toBeGreaterThanOrEqual(7)
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(proofs.length)
  })

  test('D14: each grant has a key of its own', async ({ stage, page, granted }) => {
    const { result } = await connectFurther(stage, page, stage.wish({ mode: 'token' }))
    expect(result?.grantId).not.toBe(granted.grantId)
    const keys = await Promise.all(allProofs(stage).map(({ jwk }) => calculateJwkThumbprint(jwk)))
    expect(new Set(keys).size).toBe(2)
  })

  // An ID token identifies the subscriber, so that a silent authorization may renew the grant.
  const identifiedTest = test.extend('options', {
    operator: { dpop: 'required', openid: 'required' },
  })

  identifiedTest(
    'D13: tokens whose key is lost are not used: nothing is sent, and the grant gets new ones',
    async ({ stage, page, granted: _, worker }) => {
      await clearStore(worker.page, 'northkey-keys', 'keys')
      await worker.stop()
      stage.network.log.clear()
      expect((await callApi(stage, page)).error?.data.error).toBe('login_required')
      expect([...tokenRequests(stage), ...apiCalls(stage)]).toEqual([])
      expect((await callApi(stage, page)).result?.status).toBe(200)
      const grants = tokenRequests(stage).map((entry) => formOf(entry).grant_type)
      expect(new Set(grants)).toEqual(new Set(['authorization_code']))
    },
  )
})
