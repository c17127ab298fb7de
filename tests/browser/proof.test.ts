/**
 * `northbound_createProof`: proofs for a page that makes the call itself, and for nothing else.
 *
 * Each row of D15 was seen to fail without the check that it names; the others when the nonce of the page is
 * left out (RFC 9449 sections 7 and 9), with the hash of another token (D01), with one `jti` for all (D04),
 * and when proofs are not counted (B21). D12 was seen to fail when `createKey` stores the private key as
 * PKCS #8 that nobody wrapped, as a JWK, and as a `CryptoKey` that cannot be exported; and when a proof
 * comes with the key's JWK.
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type {
  AccessToken,
  CreateProofParams,
  Grant,
  ProviderErrorObject,
} from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import {
  answerConsent,
  BROWSERS,
  type Called,
  call,
  connect,
  databaseText,
  openScreen,
  type Stage,
  startStage,
} from './support/stage.ts'

const PROOFS_AT_ONCE = 200

describe.each(BROWSERS)('in %s, a page with a token that is bound to a key', (name) => {
  let stage: Stage
  let page: Page
  let grantId: string
  let htu: string

  beforeAll(async () => {
    stage = await startStage(name, { operator: { dpop: 'required' } })
    page = await stage.open()
    const { result } = await connect(stage, page, stage.wish({ mode: 'token' }))
    expect(result).toMatchObject({ mode: 'token', tokenType: 'DPoP' })
    grantId = result?.grantId ?? ''
    htu = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
  })
  afterAll(() => stage?.close())
  beforeEach(() => stage.network.log.clear())

  const prove = (more: Partial<CreateProofParams> = {}): Promise<Called<{ dpop: string }>> =>
    call(page, 'northbound_createProof', { grantId, htm: 'GET', htu, ...more })

  const read = (part: string | undefined) =>
    JSON.parse(Buffer.from(part ?? '', 'base64url').toString())

  test('RFC 9449 sections 7 and 9: the page calls with token, proof and the nonce of the API', async () => {
    const statuses = await page.evaluate(
      async (url, grant) => {
        const { result: token } = (await window.call('northbound_getAccessToken', {
          grantId: grant,
        })) as { result: AccessToken }
        const seen: number[] = []
        let nonce: string | null = null
        for (let i = 0; i < 2; i++) {
          const { result } = (await window.call('northbound_createProof', {
            grantId: grant,
            htm: 'GET',
            htu: url,
            ...(nonce ? { nonce } : {}),
          })) as { result: { dpop: string } }
          const headers = { authorization: `DPoP ${token.accessToken}`, dpop: result.dpop }
          const response = await fetch(url, { headers })
          seen.push(response.status)
          nonce = response.headers.get('dpop-nonce')
        }
        return seen
      },
      htu,
      grantId,
    )
    expect(statuses).toEqual([401, 200])
  })

  test('D01: a proof has the shape of section 4.2, and the hash of this grant’s token', async () => {
    const token = await call<AccessToken>(page, 'northbound_getAccessToken', { grantId })
    const [header, payload] = ((await prove()).result?.dpop ?? '').split('.').slice(0, 2).map(read)
    expect(header).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256' })
    expect(Object.keys(header.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y'])
    const ath = createHash('sha256')
      .update(token.result?.accessToken ?? '')
      .digest('base64url')
    expect(payload).toMatchObject({ htm: 'GET', htu, ath })
  })

  test('D04: no proof is like another', async () => {
    const proofs = await Promise.all(Array.from({ length: 10 }, () => prove()))
    const ids = proofs.map(({ result }) => read(result?.dpop.split('.')[1]).jti)
    expect(new Set(ids).size).toBe(10)
  })

  const outside: [
    title: string,
    more: (stage: Stage) => Partial<CreateProofParams>,
    code: number,
  ][] = [
    [
      'for another API',
      (s) => ({ htu: `${s.network.apisOrigin}/3gpp-monitoring-event/v1/x` }),
      4100,
    ],
    ['for the token endpoint', (s) => ({ htu: `${s.network.issuer}/token`, htm: 'POST' }), 4100],
    ['for another host', () => ({ htu: 'https://evil.example/3gpp-as-session-with-qos/v1' }), 4100],
    ['for a path that leaves the API', () => ({ htu: `${htu}/../../../../other` }), 4100],
    ['for an encoded path', () => ({ htu: `${htu}/..%2fx` }), -32602],
    ['for a method that the API does not allow', () => ({ htm: 'TRACE' }), -32602],
    ['for a method that is none', () => ({ htm: 'GET\r\nX: y' }), -32602],
    ['for another grant', () => ({ grantId: crypto.randomUUID() }), 4100],
    ['with another query than that of htu', () => ({ htu: `${htu}?a=1`, query: 'a=2' }), -32602],
    ['with claims of its own', () => ({ ath: 'x', jti: 'y' }) as object, -32602],
    ['with a nonce that is none', () => ({ nonce: 'a"b' }), -32602],
  ]
  test.each(outside)('D15: no proof %s', async (_, more, code) => {
    expect((await prove(more(stage))).error).toMatchObject({ code })
  })

  test('D15: no proof for a page that holds no token: mode fetch', async () => {
    await gesture(page)
    const connecting = call<Grant>(page, 'northbound_connect', stage.wish())
    // The subscriber is signed in: the operator asks nothing again.
    await answerConsent(stage, 'allow')
    const { result: grant } = await connecting
    expect(grant).toMatchObject({ mode: 'fetch', tokenType: 'DPoP' })
    const refused = await prove({ grantId: grant?.grantId ?? '' })
    expect(refused.error).toMatchObject({ code: -32602 })
    await call(page, 'northbound_revoke', { grantId: grant?.grantId })
  })

  test('D12: the private key is in no message and not readable on the disk', async () => {
    await prove()
    const seen = await page.evaluate(() => JSON.stringify(window.seen))
    expect(seen).toContain('dpop')
    expect(seen).not.toMatch(/"d":|privateKey|BEGIN/)
    const screen = await openScreen(stage)
    const stored = JSON.stringify((await databaseText(screen)).keys)
    expect(stored).toContain('publicKey')
    // The ASN.1 of a P-256 private key begins with its algorithm, of which the object identifier stays.
    expect(stored).not.toContain('\\u0006\\b*†HÎ=')
    expect(stored).not.toMatch(/"d":|,d:|CryptoKey private/)
    await screen.close()
  })

  test('B21, RFC 9449 section 11.4: proofs are counted', async () => {
    const errors = await page.evaluate(
      async (params, count) => {
        const outcomes = (await Promise.all(
          Array.from({ length: count }, () => window.call('northbound_createProof', params)),
        )) as { error?: ProviderErrorObject }[]
        return outcomes.flatMap(({ error }) => (error ? [error] : []))
      },
      { grantId, htm: 'GET', htu },
      PROOFS_AT_ONCE * 2,
    )
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) {
      expect(error).toMatchObject({ code: 4290, data: { error: 'rate_limited' } })
      expect(error.data.retryAfterSeconds).toBeGreaterThan(0)
    }
  })
})
