/**
 * Tests `northbound_createProof`, which creates proofs for a page that makes the call itself, and for no
 * other purpose.
 *
 * Every row of D15 was seen to fail without the check that it names.
 *
 * The other tests were seen to fail when:
 * - the nonce of the page is left out (RFC 9449 sections 7 and 9);
 * - the proof has the hash of another token (D01);
 * - all proofs have the same `jti` (D04);
 * - proofs are not counted (B21);
 * - `createKey` stores the private key as unwrapped PKCS #8, as a JWK, and as a `CryptoKey` that cannot be
 *   exported (D12);
 * - a proof contains the JWK of the private key (D12).
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type {
  AccessToken,
  CreateProofParams,
  Grant,
  ProviderErrorObject,
} from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import {
  type Called,
  call,
  databaseText,
  gesture,
  openScreen,
  type Stage,
} from './support/stage.ts'
import { getAccessToken } from './support/tokens.ts'

const PROOFS_AT_ONCE = 200

const urlOf = (stage: Stage) => `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`

const createProof = (
  page: Page,
  params: Partial<CreateProofParams>,
): Promise<Called<{ dpop: string }>> =>
  call(page, 'northbound_createProof', { htm: 'GET', ...params })

const read = (part: string | undefined) =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString())

const test = base
  .extend('options', { operator: { dpop: 'required' } })
  .extend('wish', { mode: 'token' })
  .extend('proofParams', ({ stage, granted: { grantId } }) => ({ grantId, htu: urlOf(stage) }))

describe('a page with a token that is bound to a key', () => {
  test('RFC 9449 sections 7 and 9: the page calls with token, proof and the nonce of the API', async ({
    page,
    granted,
    proofParams: { grantId, htu },
  }) => {
    expect(granted).toMatchObject({ mode: 'token', tokenType: 'DPoP' })
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

  test('D01: a proof has the shape of section 4.2, and the hash of this grant’s token', async ({
    page,
    proofParams,
  }) => {
    const { grantId, htu } = proofParams
    const token = await getAccessToken(page, { grantId })
    const proof = (await createProof(page, proofParams)).result?.dpop ?? ''
    const [header, payload] = proof.split('.').slice(0, 2).map(read)
    expect(header).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256' })
    expect(Object.keys(header.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y'])
    const ath = createHash('sha256')
      .update(token.result?.accessToken ?? '')
      .digest('base64url')
    expect(payload).toMatchObject({ htm: 'GET', htu, ath })
  })

  test('D04: no proof is like another', async ({ page, proofParams }) => {
    const proofs = await Promise.all(
      Array.from({ length: 10 }, () => createProof(page, proofParams)),
    )
    const ids = proofs.map(({ result }) => read(result?.dpop.split('.')[1]).jti)
    expect(new Set(ids).size).toBe(10)
  })

  type Outside = [title: string, more: (stage: Stage) => Partial<CreateProofParams>, code: number]

  const OUTSIDE: Outside[] = [
    [
      'for another API',
      (s) => ({ htu: `${s.network.apisOrigin}/3gpp-monitoring-event/v1/x` }),
      4100,
    ],
    ['for the token endpoint', (s) => ({ htu: `${s.network.issuer}/token`, htm: 'POST' }), 4100],
    ['for another host', () => ({ htu: 'https://evil.example/3gpp-as-session-with-qos/v1' }), 4100],
    ['for a path that leaves the API', (s) => ({ htu: `${urlOf(s)}/../../../../other` }), 4100],
    ['for an encoded path', (s) => ({ htu: `${urlOf(s)}/..%2fx` }), -32602],
    ['for a method that the API does not allow', () => ({ htm: 'TRACE' }), -32602],
    ['for a method that is none', () => ({ htm: 'GET\r\nX: y' }), -32602],
    ['for another grant', () => ({ grantId: crypto.randomUUID() }), 4100],
    [
      'with another query than that of htu',
      (s) => ({ htu: `${urlOf(s)}?a=1`, query: 'a=2' }),
      -32602,
    ],
    ['with claims of its own', () => ({ ath: 'x', jti: 'y' }) as object, -32602],
    ['with a nonce that is none', () => ({ nonce: 'a"b' }), -32602],
  ]

  test.for(OUTSIDE)('D15: no proof %s', async ([, more, code], { stage, page, proofParams }) => {
    const { error } = await createProof(page, { ...proofParams, ...more(stage) })
    expect(error).toMatchObject({ code })
  })

  test('D15: no proof for a page that holds no token: mode fetch', async ({
    stage,
    page,
    proofParams,
  }) => {
    await gesture(page)
    const { result } = await call<Grant>(page, 'northbound_connect', stage.wish())
    expect(result).toMatchObject({ mode: 'fetch', tokenType: 'DPoP' })
    const { error } = await createProof(page, { ...proofParams, grantId: result?.grantId ?? '' })
    expect(error).toMatchObject({ code: -32602 })
  })

  test('D12: the private key is in no message and not readable on the disk', async ({
    stage,
    page,
    proofParams,
  }) => {
    await createProof(page, proofParams)
    const seen = await page.evaluate(() => JSON.stringify(window.seen))
    expect(seen).toContain('dpop')
    expect(seen).not.toMatch(/"d":|privateKey|BEGIN/)
    const screen = await openScreen(stage)
    const stored = JSON.stringify((await databaseText(screen)).keys)
    expect(stored).toContain('publicKey')
    // The ASN.1 of a P-256 private key begins with the object identifier of its algorithm.
    expect(stored).not.toContain('\\u0006\\b*†HÎ=')
    expect(stored).not.toMatch(/"d":|,d:|CryptoKey private/)
  })

  test('B21, RFC 9449 section 11.4: proofs are counted', async ({ page, proofParams }) => {
    const errors = await page.evaluate(
      async (params, count) => {
        const outcomes = (await Promise.all(
          Array.from({ length: count }, () => window.call('northbound_createProof', params)),
        )) as { error?: ProviderErrorObject }[]
        return outcomes.flatMap(({ error }) => (error ? [error] : []))
      },
      { htm: 'GET', ...proofParams },
      PROOFS_AT_ONCE * 2,
    )
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) {
      expect(error).toMatchObject({ code: 4290, data: { error: 'rate_limited' } })
      expect(error.data.retryAfterSeconds).toBeGreaterThan(0)
    }
  })
})
