/** DPoP proofs, and nonces at the token endpoint. */

import { decodeJwt, decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  camaraProofClaims,
  createDpopKey,
  createDpopProof,
  type DpopKey,
  dpopThumbprint,
  redeemCode,
  refreshTokens,
} from '../../../shared/core/index.ts'
import { closedNetwork, json, type SentRequest, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  CLIENT_ID,
  METADATA,
  redeemable,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

const API = 'https://api.example/qos/v1/sessions'
const metadata = { ...METADATA, dpop_signing_alg_values_supported: ['ES256'] }
const success = { ...TOKEN_RESPONSE, token_type: 'DPoP' }

const nonceError = (nonce: string | null, status = 400) =>
  json(
    { error: 'use_dpop_nonce' },
    { status, headers: nonce === null ? {} : { 'dpop-nonce': nonce } },
  )

const proofOf = (request: SentRequest | undefined) => request?.headers.get('dpop') ?? ''

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

describe('a proof (RFC 9449 section 4.2)', () => {
  test('D01: has the type, ES256, only the public key, and the claims', async () => {
    const network = closedNetwork()
    const key = await createDpopKey()
    const proof = await createDpopProof(
      { key, method: 'post', url: `${API}?a=1#b`, accessToken: 'the-token' },
      network,
    )
    const header = decodeProtectedHeader(proof)
    expect(Object.keys(header).sort()).toEqual(['alg', 'jwk', 'typ'])
    expect(header).toMatchObject({ alg: 'ES256', typ: 'dpop+jwt' })
    expect(Object.keys(header.jwk as object).sort()).toEqual(['crv', 'kty', 'x', 'y'])
    await jwtVerify(proof, await importJWK(header.jwk as JWK, 'ES256'), {
      currentDate: new Date(START),
    })
    const claims = decodeJwt(proof)
    expect(Object.keys(claims).sort()).toEqual(['ath', 'htm', 'htu', 'iat', 'jti'])
    expect(claims).toMatchObject({
      htm: 'POST',
      htu: API,
      ath: await hash('the-token'),
    })
    // The second of the system clock may change between two readings.
    expect(Math.abs((claims.iat ?? 0) - START / 1000)).toBeLessThanOrEqual(1)
  })

  test.each([
    ['https://api.example/a', 'https://api.example/a'],
    ['https://api.example', 'https://api.example/'],
    ['https://api.example/a?b=c', 'https://api.example/a'],
    ['https://api.example/a?', 'https://api.example/a'],
    ['https://api.example/a#b', 'https://api.example/a'],
    ['https://api.example/a?b#c', 'https://api.example/a'],
    ['https://api.example:443/a', 'https://api.example/a'],
    ['https://api.example:8443/a', 'https://api.example:8443/a'],
    ['http://localhost:80/a', 'http://localhost/a'],
    ['HTTPS://API.EXAMPLE/A', 'https://api.example/A'],
    ['https://api.example/a/../b', 'https://api.example/b'],
    ['https://api.example/a/./b', 'https://api.example/a/b'],
    ['https://api.example/../a', 'https://api.example/a'],
    ['https://api.example/a//b', 'https://api.example/a//b'],
    ['https://api.example//a', 'https://api.example//a'],
    ['https://api.example/a/', 'https://api.example/a/'],
    ['https://api.example/%61', 'https://api.example/%61'],
    ['https://api.example/a%2Fb', 'https://api.example/a%2Fb'],
    ['https://api.example/a%2fb', 'https://api.example/a%2fb'],
    ['https://api.example/%2e%2e/b', 'https://api.example/b'],
    ['https://api.example/a b', 'https://api.example/a%20b'],
    ['https://api.example/ä', 'https://api.example/%C3%A4'],
    ['https://api.example/a;b=c', 'https://api.example/a;b=c'],
    ['https://api.example/a:b@c', 'https://api.example/a:b@c'],
    ['https://api.example/a+b', 'https://api.example/a+b'],
    ["https://api.example/a'b", "https://api.example/a'b"],
    ['https://api.example/a"b', 'https://api.example/a%22b'],
    ['https://api.example/a\\b', 'https://api.example/a/b'],
    ['https://api.example\\a', 'https://api.example/a'],
    ['https://bücher.example/a', 'https://xn--bcher-kva.example/a'],
    ['https://BÜCHER.example/a', 'https://xn--bcher-kva.example/a'],
    ['https://127.1/a', 'https://127.0.0.1/a'],
    ['https://0x7f.0.0.1/a', 'https://127.0.0.1/a'],
    ['https://[::1]/a', 'https://[::1]/a'],
    ['https://[0:0:0:0:0:0:0:1]/a', 'https://[::1]/a'],
    ['https://api.example./a', 'https://api.example./a'],
    ['https://api.example/a\tb', 'https://api.example/ab'],
    [' https://api.example/a ', 'https://api.example/a'],
    ['https://api.example/%zz', 'https://api.example/%zz'],
    ['https://user:pw@api.example/a', 'https://api.example/a'],
  ])('D02: the htu of %j is %j (RFC 9449 section 4.2)', async (url, htu) => {
    const key = await createDpopKey()
    const network = closedNetwork({ allowInsecureLoopback: true })
    const proof = await createDpopProof({ key, method: 'GET', url, accessToken: 'at' }, network)
    expect(decodeJwt(proof).htu).toBe(htu)
  })

  test('D02: if runtimes serialize a path differently, the htu equals the URL of the request', async () => {
    const key = await createDpopKey()
    // Browsers encode this character differently; the proof has to match the browser that it runs in.
    const url = 'https://api.example/a|b'
    const request = { key, method: 'GET', url, accessToken: 'at' }
    const proof = await createDpopProof(request, closedNetwork())
    expect(decodeJwt(proof).htu).toBe(new URL(url).href)
  })

  test('D04: no two of 1,000 proofs share a jti (RFC 9449 section 11.1)', async () => {
    const key = await createDpopKey()
    const network = closedNetwork()
    const proofs = await Promise.all(
      Array.from({ length: 1000 }, () =>
        createDpopProof({ key, method: 'GET', url: API, accessToken: 'at' }, network),
      ),
    )
    expect(new Set(proofs.map((proof) => decodeJwt(proof).jti)).size).toBe(1000)
  })

  test('D12: the private key cannot be exported', async () => {
    const { privateKey } = await createDpopKey()
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow()
  })

  test('D14: each grant has a key of its own, so that thumbprints do not correlate', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => createDpopKey()))
    const thumbprints = await Promise.all(keys.map(dpopThumbprint))
    expect(new Set(thumbprints).size).toBe(20)
    expect(new Set(keys.map(({ nonces }) => nonces)).size).toBe(20)
  })

  test('D16: camara:bh and camara:qh are hashes of the octets that are sent (CAMARA security profile)', async () => {
    const required = ['camara:bh', 'camara:qh']
    const body = '{"a": 1}'
    const query = 'b=%20&a'
    const claims = await camaraProofClaims(required, { body, query })
    expect(claims).toEqual({ 'camara:bh': await hash(body), 'camara:qh': await hash(query) })
    expect(await camaraProofClaims(required, { body: '{"a":1}' })).not.toEqual({
      'camara:bh': claims['camara:bh'],
    })
    const bytes = new TextEncoder().encode(body)
    expect(await camaraProofClaims(['camara:bh'], { body: bytes, query })).toEqual({
      'camara:bh': await hash(body),
    })
    expect(await camaraProofClaims(undefined, { body, query })).toEqual({})
    const key = await createDpopKey()
    const request = { key, method: 'GET', url: API, accessToken: 'at', claims }
    expect(decodeJwt(await createDpopProof(request, closedNetwork()))).toMatchObject(claims)
  })
})

describe('proofs at the token endpoint (RFC 9449 sections 5 and 8)', () => {
  async function redeem(network: ReturnType<typeof closedNetwork>, dpop: DpopKey) {
    return redeemCode(await redeemable(network, { metadata, dpop }), network, { dpop })
  }

  test('D05: a required nonce causes one retry with a new proof', async () => {
    const network = closedNetwork()
      .on(TOKEN_ENDPOINT, nonceError('as-nonce'))
      .on(TOKEN_ENDPOINT, json(success))
    const tokens = await redeem(network, await createDpopKey())
    expect(tokens.tokenType).toBe('DPoP')
    const [first, second] = network.sent
    expect(second?.body).toBe(first?.body)
    expect(decodeJwt(proofOf(first)).nonce).toBeUndefined()
    expect(decodeJwt(proofOf(second)).nonce).toBe('as-nonce')
    expect(decodeJwt(proofOf(second)).jti).not.toBe(decodeJwt(proofOf(first)).jti)
    expect(decodeJwt(proofOf(second))).toMatchObject({ htm: 'POST', htu: TOKEN_ENDPOINT })
  })

  test('D07: a server that always requires another nonce gets two requests', async () => {
    const network = closedNetwork()
      .on(TOKEN_ENDPOINT, nonceError('one'))
      .on(TOKEN_ENDPOINT, nonceError('two'))
    const error = await failure(redeem(network, await createDpopKey()))
    expect(error.error).toBe('use_dpop_nonce')
    expect(network.sent).toHaveLength(2)
  })

  test('D07: a server that requires a nonce and supplies none gets one request', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, nonceError(null))
    await failure(redeem(network, await createDpopKey()))
    expect(network.sent).toHaveLength(1)
  })

  test('D08: the latest nonce of a successful response is used in the next request (RFC 9449 section 8.2)', async () => {
    const dpop = await createDpopKey()
    const network = closedNetwork()
      .on(TOKEN_ENDPOINT, json(success, { headers: { 'dpop-nonce': 'from-200' } }))
      .on(TOKEN_ENDPOINT, json(success))
    await redeem(network, dpop)
    await refreshTokens(
      { server: SERVER, metadata, clientId: CLIENT_ID, refreshToken: 'r', dpop },
      network,
    )
    expect(decodeJwt(proofOf(network.sent[1])).nonce).toBe('from-200')
  })

  test('D13: a key other than the key of the flow is rejected before a request is sent', async () => {
    const network = closedNetwork()
    const flow = await redeemable(network, { metadata, dpop: await createDpopKey() })
    for (const keys of [{}, { dpop: await createDpopKey() }]) {
      expect((await failure(redeemCode(flow, network, keys))).code).toBe('key_mismatch')
    }
    expect(network.sent).toHaveLength(0)
  })

  test.each(['', 'a b', 'a"b', 'a\\b', 'ä', 'x'.repeat(10_000)])(
    'D10: the malformed nonce %j is ignored (RFC 9449 section 8.1)',
    async (nonce) => {
      const dpop = await createDpopKey()
      const headers = new Headers()
      try {
        headers.set('dpop-nonce', nonce)
      } catch {
        return
      }
      const network = closedNetwork().on(TOKEN_ENDPOINT, json(success, { headers }))
      await redeem(network, dpop)
      expect(dpop.nonces.get('https://as.example')).toBeUndefined()
    },
  )
})
