/** API `3gpp-as-session-with-qos`: subscriptions, error answers, access tokens and cross-origin calls. */

import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Network } from '../../demo-site/network/index.ts'
import { obtainToken, startTestNetwork } from './support/client.ts'

let network: Network
let resource: string
let token: string

beforeAll(async () => {
  network = await startTestNetwork()
  resource = `${network.apisOrigin}/3gpp-as-session-with-qos/v1`
  token = (await obtainToken(network)).tokens.access_token
})
afterAll(() => network.close())

const REQUEST = {
  notificationDestination: 'https://unused.invalid/callback',
  qosReference: 'QOS_L',
  flowInfo: [{ flowId: 1, flowDescriptions: ['permit in ip from 10.0.0.1 to assigned'] }],
}

function callApi(path: string, init: RequestInit & { token?: string } = {}): Promise<Response> {
  return fetch(`${resource}${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${init.token ?? token}`,
      'content-type': 'application/json',
      ...init.headers,
    },
  })
}

function postSubscription(body: unknown): Promise<Response> {
  return callApi('/skyframe/subscriptions', { method: 'POST', body: JSON.stringify(body) })
}

describe('3gpp-as-session-with-qos/v1 (TS 29.122 clause 5.14)', () => {
  it('creates, lists, reads, replaces, patches and deletes a subscription', async () => {
    const created = await postSubscription(REQUEST)
    expect(created.status).toBe(201)
    const subscription = (await created.json()) as { self: string }
    expect(created.headers.get('location')).toBe(subscription.self)
    expect(subscription).toMatchObject(REQUEST)

    const path = subscription.self.slice(resource.length)
    expect(await (await callApi('/skyframe/subscriptions')).json()).toContainEqual(subscription)
    expect(await (await callApi(path)).json()).toEqual(subscription)

    const replaced = await callApi(path, {
      method: 'PUT',
      body: JSON.stringify({ ...REQUEST, qosReference: 'QOS_M' }),
    })
    expect(await replaced.json()).toMatchObject({ qosReference: 'QOS_M', self: subscription.self })

    const patched = await callApi(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ qosReference: 'QOS_S', flowInfo: null }),
    })
    const after = (await patched.json()) as Record<string, unknown>
    expect(after.qosReference).toBe('QOS_S')
    expect(after).not.toHaveProperty('flowInfo')

    expect((await callApi(path, { method: 'DELETE' })).status).toBe(204)
    expect((await callApi(path)).status).toBe(404)
  })

  it('answers an invalid body with ProblemDetails that name the member, not its value', async () => {
    const answer = await postSubscription({ notificationDestination: 42, qosReference: 'QOS_L' })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const problem = (await answer.json()) as { invalidParams: { param: string }[] }
    expect(problem.invalidParams.map(({ param }) => param)).toContain('/notificationDestination')
    expect(JSON.stringify(problem)).not.toContain('42')
  })

  it.each([
    ['invalid JSON', '{'],
    ['an array', '[]'],
    ['an object without the required member', '{}'],
  ])('answers %s with 400', async (_name, body) => {
    const answer = await callApi('/skyframe/subscriptions', { method: 'POST', body })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })

  it('answers a body of another content type with 415', async () => {
    const headers = { 'content-type': 'text/plain' }
    const answer = await callApi('/skyframe/subscriptions', { method: 'POST', body: '{}', headers })
    expect(answer.status).toBe(415)
  })

  it('rejects an unknown QoS reference', async () => {
    expect((await postSubscription({ ...REQUEST, qosReference: 'QOS_ZERO' })).status).toBe(400)
  })

  it('rejects a request for another subscriber (TS 33.122 clause 6.5.3)', async () => {
    expect((await postSubscription({ ...REQUEST, gpsi: 'msisdn-447700900102' })).status).toBe(403)
  })

  it('answers 404 for a subscription under the path of another application server', async () => {
    const { self } = (await (await postSubscription(REQUEST)).json()) as { self: string }
    const otherServerPath = self.replace('/skyframe/', '/elsewhere/').slice(resource.length)
    expect((await callApi(otherServerPath)).status).toBe(404)
    expect(await (await callApi('/elsewhere/subscriptions')).json()).toEqual([])
  })

  it('answers 404 and 405 with ProblemDetails', async () => {
    expect((await fetch(`${network.apisOrigin}/nowhere`)).status).toBe(404)
    const answer = await callApi('/skyframe/subscriptions', { method: 'DELETE' })
    expect(answer.status).toBe(405)
    expect(await answer.json()).toMatchObject({ status: 405 })
  })
})

describe('the access token at the API (RFC 6750 section 3, RFC 9068 section 4)', () => {
  it('answers a request without a token with a challenge that has no error code', async () => {
    const answer = await fetch(`${resource}/skyframe/subscriptions`)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="northbound"')
  })

  async function signForeignToken(claims: Record<string, unknown>): Promise<string> {
    const { privateKey } = await generateKeyPair('ES256')
    return new SignJWT({ client_id: 'skyframe', scope: '3gpp-as-session-with-qos', ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer(network.issuer)
      .setAudience(resource)
      .setJti('1')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
  }

  it.each([
    ['signed by another key', () => signForeignToken({})],
    ['that is not a JWT', async () => 'opaque'],
    ['with a broken signature', async () => `${token.slice(0, -4)}AAAA`],
    ['with the algorithm none', async () => `eyJhbGciOiJub25lIn0.${token.split('.')[1]}.`],
  ])('rejects a token %s', async (_name, make) => {
    const answer = await callApi('/skyframe/subscriptions', { token: await make() })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('rejects an expired token', async () => {
    const { exp = 0 } = decodeJwt(token)
    const seconds = exp + 1 - Math.floor(Date.now() / 1000)
    const fault = network.faults.add({ action: { type: 'clock', seconds } })
    onTestFinished(() => void network.faults.remove(fault))
    const answer = await callApi('/skyframe/subscriptions')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('expired')
  })

  it('rejects the token of another network with the same API', async () => {
    const otherNetwork = await startTestNetwork()
    try {
      const { tokens } = await obtainToken(otherNetwork)
      const answer = await callApi('/skyframe/subscriptions', { token: tokens.access_token })
      expect(answer.status).toBe(401)
    } finally {
      await otherNetwork.close()
    }
  })
})

describe('a cross-origin call by a page (CORS)', () => {
  it('is allowed to send the token and to read Location', async () => {
    const preflight = await fetch(`${resource}/skyframe/subscriptions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://127.0.0.1:5173',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization')
    const answer = await callApi('/skyframe/subscriptions', {
      headers: { origin: 'http://127.0.0.1:5173' },
    })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-expose-headers')).toContain('Location')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })
})
