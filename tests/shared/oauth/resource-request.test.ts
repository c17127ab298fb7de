/** Calls of a resource with a DPoP or a bearer token. */

import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { createDpopKey, type DpopKey, requestResource } from '../../../shared/core/index.ts'
import { closedNetwork, json, type SentRequest } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'

const API = 'https://api.example/qos/v1/sessions'
const challenge = (header: string, nonce = 'rs-nonce') =>
  new Response(null, {
    status: 401,
    headers: { 'www-authenticate': header, 'dpop-nonce': nonce },
  })

const proofOf = (request: SentRequest | undefined) => request?.headers.get('dpop') ?? ''

async function call(network: ReturnType<typeof closedNetwork>, dpop: DpopKey, url = API) {
  return requestResource(
    { url, method: 'POST', accessToken: 'at', tokenType: 'DPoP', dpop, body: '{}' },
    network,
  )
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

describe('proofs at a resource (RFC 9449 sections 7 and 9)', () => {
  test('D03: the token is sent as DPoP with a proof of its hash, and in no other way', async () => {
    const network = closedNetwork().on(API, json({}))
    await call(network, await createDpopKey())
    const [sent] = network.sent
    expect(sent?.headers.get('authorization')).toBe('DPoP at')
    expect(decodeJwt(proofOf(sent))).toMatchObject({ ath: await hash('at'), htu: API, htm: 'POST' })
    expect(sent?.url).not.toContain('at=')
  })

  test.each([
    'DPoP error="use_dpop_nonce"',
    'dpop error="use_dpop_nonce", error_description="x"',
    'DPOP realm="a, b", error=use_dpop_nonce',
    'Bearer realm="a", DPoP error="use_dpop_nonce", algs="ES256"',
    'Basic realm="DPoP error=\\"x\\"", DPoP error="use_dpop_nonce"',
  ])('D06: the challenge %j causes one retry with the nonce', async (header) => {
    const network = closedNetwork().on(API, challenge(header)).on(API, json({}))
    const response = await call(network, await createDpopKey())
    expect(response.status).toBe(200)
    expect(decodeJwt(proofOf(network.sent[1])).nonce).toBe('rs-nonce')
    expect(decodeJwt(proofOf(network.sent[0])).jti).not.toBe(
      decodeJwt(proofOf(network.sent[1])).jti,
    )
  })

  test('D07: a resource that always requires a new nonce gets two requests', async () => {
    const header = 'DPoP error="use_dpop_nonce"'
    const network = closedNetwork().on(API, challenge(header, 'a')).on(API, challenge(header, 'b'))
    expect((await call(network, await createDpopKey())).status).toBe(401)
    expect(network.sent).toHaveLength(2)
  })

  test('D09: a nonce of one server is never sent to another (RFC 9449 section 9)', async () => {
    const dpop = await createDpopKey()
    const otherApi = 'https://other.example/v1'
    const give = (nonce: string) => json({}, { headers: { 'dpop-nonce': nonce } })
    const network = closedNetwork()
      .on(API, give('nonce-of-api'))
      .on(otherApi, give('nonce-of-other'))
      .on(API, json({}))
      .on(otherApi, json({}))
      .on('https://api.example:8443/', json({}))
    await call(network, dpop)
    await call(network, dpop, otherApi)
    await call(network, dpop)
    await call(network, dpop, otherApi)
    await call(network, dpop, 'https://api.example:8443/')
    expect(network.sent.map((sent) => decodeJwt(proofOf(sent)).nonce)).toEqual([
      undefined,
      undefined,
      'nonce-of-api',
      'nonce-of-other',
      undefined,
    ])
  })

  test('D18: each attempt has a new proof', async () => {
    const dpop = await createDpopKey()
    const network = closedNetwork()
      .on(API, () => {
        throw new TypeError('network')
      })
      .on(API, json({}))
    expect((await failure(call(network, dpop))).code).toBe('network_error')
    await call(network, dpop)
    const [first, second] = network.sent.map((sent) => decodeJwt(proofOf(sent)).jti)
    expect(first).not.toBe(second)
  })

  test('D19: a DPoP token is never sent again as a bearer token (RFC 9449 section 7.2)', async () => {
    const network = closedNetwork().on(API, challenge('Bearer error="invalid_token"'))
    expect((await call(network, await createDpopKey())).status).toBe(401)
    expect(network.sent.map((sent) => sent.headers.get('authorization'))).toEqual(['DPoP at'])
  })

  test('a DPoP token without its key is not sent', async () => {
    const request = { url: API, method: 'GET', accessToken: 'at', tokenType: 'DPoP' as const }
    expect((await failure(requestResource(request, closedNetwork()))).code).toBe('key_mismatch')
  })
})

describe('a call with a bearer token (RFC 6750 section 2.1)', () => {
  const request = { url: API, method: 'GET', accessToken: 'at', tokenType: 'Bearer' as const }

  test('sends it in one header, without cookie, cache, referrer and proof', async () => {
    const network = closedNetwork().on(API, json({}))
    const headers = { authorization: 'Basic x', dpop: 'x', cookie: 'a=b', 'x-correlator': 'c' }
    await requestResource({ ...request, headers }, network)
    const sent = network.sent[0]
    expect(Object.fromEntries(sent?.headers ?? [])).toEqual({
      authorization: 'Bearer at',
      'x-correlator': 'c',
    })
    expect(sent?.init).toMatchObject({
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'manual',
      referrerPolicy: 'no-referrer',
    })
  })

  test.each([301, 302, 307, 308])(
    'B18: a redirect %i is rejected, and the token is not sent to its target',
    async (status) => {
      const headers = { location: 'https://evil.example/' }
      const network = closedNetwork().on(API, new Response(null, { status, headers }))
      expect((await failure(requestResource(request, network))).code).toBe('invalid_response')
      expect(network.sent).toHaveLength(1)
    },
  )

  test('plain http is rejected', async () => {
    const url = 'http://api.example/'
    const error = await failure(requestResource({ ...request, url }, closedNetwork()))
    expect(error.code).toBe('insecure_url')
  })
})
