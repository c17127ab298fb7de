/** Fault injection and the control API, as a plain HTTP client sees them. */

import { Ajv2020 } from 'ajv/dist/2020.js'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FaultAction, FaultRule, Network } from '../../demo-site/network/index.ts'
import {
  createAuthorizationRequest,
  createStockClient,
  obtainToken,
  redeemCode,
  signInAndAllow,
  startTestNetwork,
} from './support/client.ts'
import { ScriptedBrowser, sendRequest } from './support/scripted-browser.ts'

let network: Network
let control: string
let metadata: string

beforeAll(async () => {
  network = await startTestNetwork({ ports: { control: 0 } })
  control = network.controlOrigin ?? ''
  metadata = `${network.issuer}/.well-known/openid-configuration`
})
afterAll(() => network.close())
afterEach(async () => {
  await fetch(`${control}/faults`, { method: 'DELETE' })
})

const PATH = '/.well-known/openid-configuration'

/** Switches a fault on with the control API and returns its URL. */
async function switchOn(action: FaultAction, rule: Omit<FaultRule, 'action'> = { path: PATH }) {
  const answer = await fetch(`${control}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...rule, action }),
  })
  expect(answer.status).toBe(201)
  return answer.headers.get('location') ?? ''
}

async function switchOff(location: string): Promise<void> {
  expect((await fetch(location, { method: 'DELETE' })).status).toBe(204)
  const answer = await fetch(metadata)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ issuer: network.issuer })
}

/** Sends a request to which a fault applies. */
function fetchUnanswered() {
  const afterId = network.log.lastId
  let isSettled = false
  const answer = fetch(metadata).finally(() => {
    isSettled = true
  })
  answer.catch(() => {})
  return {
    answer,
    /** Tells whether an equal request, sent after this one had arrived, is answered before it. */
    async isOvertaken(): Promise<boolean> {
      await network.log.waitFor({ path: PATH }, { until: 'arrived', afterId })
      expect((await fetch(metadata)).status).toBe(200)
      return !isSettled
    },
  }
}

async function measureMs(run: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await run()
  return performance.now() - startedAtMs
}

describe('each fault takes effect when switched on, and ends when switched off', () => {
  it('delay', async () => {
    const fault = await switchOn({ type: 'delay', ms: 300 })
    expect(await measureMs(() => fetch(metadata))).toBeGreaterThanOrEqual(295)
    await switchOff(fault)
  })

  it('hang; a hanging request fails when the fault is switched off', async () => {
    const fault = await switchOn({ type: 'hang' }, { path: PATH, nth: 1 })
    const hanging = fetchUnanswered()
    expect(await hanging.isOvertaken()).toBe(true)
    await switchOff(fault)
    await expect(hanging.answer).rejects.toThrow(TypeError)
  })

  it.each(['processing', 'answering'] as const)(
    'hold before %s, until it is switched off',
    async (before) => {
      const fault = await switchOn({ type: 'hold', before }, { path: PATH, nth: 1 })
      const held = fetchUnanswered()
      expect(await held.isOvertaken()).toBe(true)
      await switchOff(fault)
      expect((await held.answer).status).toBe(200)
    },
  )

  it.each(['before-reading', 'after-reading'] as const)('drop %s', async (when) => {
    const fault = await switchOn({ type: 'drop', when })
    await expect(fetch(metadata)).rejects.toThrow()
    await switchOff(fault)
  })

  it('drop after processing: the code is used up, although no answer arrives', async () => {
    const client = await createStockClient(network.issuer)
    const parameters = {
      scope: '3gpp-as-session-with-qos',
      resource: `${network.apisOrigin}/3gpp-as-session-with-qos/v1`,
    }
    const pending = await createAuthorizationRequest(client, parameters)
    const page = await signInAndAllow(new ScriptedBrowser(), pending.url)
    const fault = await switchOn({ type: 'drop', when: 'after-processing' }, { path: '/token' })
    await expect(redeemCode(client, pending, page.url)).rejects.toThrow()
    await switchOff(fault)
    await expect(redeemCode(client, pending, page.url)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('drop in the middle of the body', async () => {
    const fault = await switchOn({ type: 'drop', when: 'mid-body' })
    const answer = await fetch(metadata)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
    await switchOff(fault)
  })

  it('hold before the second half of the body', async () => {
    const whole = await (await fetch(metadata)).text()
    const fault = await switchOn({ type: 'hold', before: 'second-half' })
    const answer = await fetch(metadata)
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    const first = (await reader?.read())?.value ?? ''
    expect(first).toBe(whole.slice(0, whole.length >> 1))
    await switchOff(fault)
    expect((await reader?.read())?.value).toBe(whole.slice(first.length))
  })

  it('drip', async () => {
    const size = (await (await fetch(metadata)).text()).length
    const fault = await switchOn({ type: 'drip', bytesPerSecond: size * 2 })
    const elapsedMs = await measureMs(async () => (await fetch(metadata)).json())
    expect(elapsedMs).toBeGreaterThanOrEqual(450)
    await switchOff(fault)
  })

  it('status, with headers', async () => {
    const fault = await switchOn({ type: 'status', status: 503, headers: { 'retry-after': '7' } })
    const answer = await fetch(metadata)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    await switchOff(fault)
  })

  it('header', async () => {
    const headers = { 'content-type': 'text/html', vary: null, 'x-odd': 'yes' }
    const fault = await switchOn({ type: 'header', headers })
    const answer = await fetch(metadata)
    expect(answer.headers.get('content-type')).toBe('text/html')
    expect(answer.headers.get('x-odd')).toBe('yes')
    await switchOff(fault)
  })

  it('body', async () => {
    const fault = await switchOn({ type: 'body', body: '<html>', contentType: 'text/html' })
    expect(await (await fetch(metadata)).text()).toBe('<html>')
    await switchOff(fault)
  })

  it('redirect', async () => {
    const location = 'http://127.0.0.1:9/elsewhere'
    const fault = await switchOn({ type: 'redirect', location, status: 307 })
    const answer = await fetch(metadata, { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([307, location])
    await switchOff(fault)
  })

  it('clock shift: tokens are issued half an hour in the past, and the API with the correct clock rejects them', async () => {
    const rule = { server: 'authorization-function' }
    const fault = await switchOn({ type: 'clock', seconds: -1800 }, rule)
    const date = (await fetch(metadata)).headers.get('date') ?? ''
    expect(Date.now() - Date.parse(date)).toBeGreaterThan(1_790_000)
    const { tokens } = await obtainToken(network)
    const now = Math.floor(Date.now() / 1000)
    expect(now - (decodeJwt(tokens.access_token).iat ?? now)).toBeGreaterThan(1790)
    await switchOff(fault)
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const rejected = await fetch(url, { headers })
    expect(rejected.headers.get('www-authenticate')).toContain('expired')
    expect((await obtainToken(network)).tokens.access_token).toBeTypeOf('string')
  })

  it('issuer: another or no issuer in the metadata and in the authorization response', async () => {
    const fault = await switchOn({ type: 'issuer', issuer: 'https://evil.example' }, {})
    expect(await (await fetch(metadata)).json()).toMatchObject({ issuer: 'https://evil.example' })
    await switchOff(fault)
    for (const [issuer, seen] of [
      ['https://evil.example', 'https://evil.example'],
      [null, null],
    ] as const) {
      const client = await createStockClient(network.issuer)
      const { url } = await createAuthorizationRequest(client, {
        scope: '3gpp-as-session-with-qos',
        prompt: 'none',
      })
      const secondAnswer = await switchOn({ type: 'issuer', issuer }, { path: '/auth*' })
      const page = await new ScriptedBrowser().open(url)
      expect(page.url.searchParams.get('iss')).toBe(seen)
      await switchOff(secondAnswer)
    }
  })

  it('key rotation: a new key signs, and tokens of the previous key stay valid', async () => {
    const keysOf = async () => {
      const { keys } = (await (await fetch(`${network.issuer}/jwks`)).json()) as {
        keys: { kid: string }[]
      }
      return keys.map(({ kid }) => kid)
    }
    const [before] = await keysOf()
    const { tokens } = await obtainToken(network)
    const fault = await switchOn({ type: 'rotate-keys' }, { path: '/jwks', times: 1 })
    const after = await keysOf()
    expect(after).toHaveLength(2)
    expect(after[0]).not.toBe(before)
    expect(after[1]).toBe(before)
    await switchOff(fault)
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    expect((await fetch(url, { headers })).status).toBe(200)
    expect((await obtainToken(network)).tokens.access_token).toBeTypeOf('string')
  })
})

describe('selection of requests', () => {
  const fetchStatuses = async (count: number) => {
    const statuses: number[] = []
    for (let n = 0; n < count; n += 1) statuses.push((await fetch(metadata)).status)
    return statuses
  }

  it('the n-th request, every n-th request, and a maximum number of requests', async () => {
    await switchOn({ type: 'status', status: 500 }, { path: PATH, nth: 2 })
    expect(await fetchStatuses(3)).toEqual([200, 500, 200])
    network.faults.clear()
    await switchOn({ type: 'status', status: 500 }, { path: PATH, every: 2 })
    expect(await fetchStatuses(4)).toEqual([200, 500, 200, 500])
    network.faults.clear()
    const location = await switchOn({ type: 'status', status: 500 }, { path: PATH, times: 2 })
    expect(await fetchStatuses(4)).toEqual([500, 500, 200, 200])
    expect(await (await fetch(location)).json()).toMatchObject({ matched: 4, applied: 2 })
  })

  it('requests of a server with a method and a path pattern', async () => {
    await switchOn(
      { type: 'status', status: 500 },
      { server: 'api-exposing-functions', method: 'GET', path: '/3gpp-*/v1/*' },
    )
    const api = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    expect((await fetch(api)).status).toBe(500)
    expect((await fetch(api, { method: 'POST' })).status).toBe(401)
    expect((await fetch(metadata)).status).toBe(200)
  })

  it('the log names the fault of a request', async () => {
    await switchOn({ type: 'status', status: 500 })
    network.log.clear()
    await fetch(metadata)
    expect(network.log.entries.at(-1)).toMatchObject({ status: 500, fault: 'status' })
  })
})

describe('the control API', () => {
  it('rejects an invalid rule and names the member', async () => {
    for (const rule of [
      {},
      { action: { type: 'nothing' } },
      { action: { type: 'delay' } },
      { action: { type: 'hang' }, nthh: 1 },
      { action: { type: 'status', status: 99 } },
    ]) {
      const answer = await fetch(`${control}/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rule),
      })
      expect(answer.status).toBe(400)
      const { invalidParams } = (await answer.json()) as { invalidParams: unknown[] }
      expect(invalidParams.length).toBeGreaterThan(0)
    }
    expect(await (await fetch(`${control}/faults`)).json()).toEqual([])
  })

  it('rejects web pages and foreign host names (DNS rebinding)', async () => {
    const page = await fetch(`${control}/faults`, { headers: { origin: 'http://evil.example' } })
    expect(page.status).toBe(403)
    const sending = { method: 'GET', headers: { host: 'evil.example' }, address: undefined }
    expect((await sendRequest(new URL(`${control}/faults`), sending)).status).toBe(403)
  })

  it('describes every path in an OpenAPI document, whose schemas compile', async () => {
    const description = (await (await fetch(`${control}/openapi.json`)).json()) as {
      openapi: string
      paths: Record<string, Record<string, unknown>>
      components: { schemas: Record<string, object> }
    }
    expect(description.openapi).toMatch(/^3\.1/)
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema({ $id: 'control', components: description.components })
    const rule = ajv.getSchema('control#/components/schemas/FaultRule')
    expect(rule?.({ action: { type: 'hang' } })).toBe(true)
    expect(rule?.({ action: { type: 'hang', ms: 1 } })).toBe(false)
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const method of Object.keys(operations).filter((name) => name !== 'parameters')) {
        const url = `${control}${path.replace(/\{\w+\}/g, '1')}`
        const answer = await fetch(url, { method: method.toUpperCase() })
        const text = await answer.text()
        expect([405, 501]).not.toContain(answer.status)
        if (answer.status === 404) expect(text).toContain('there is no such')
      }
    }
  })

  it('shows network and log, attaches and detaches UEs, revokes authorizations and rotates keys', async () => {
    const sendJson = (method: string, path: string, body: object) =>
      fetch(`${control}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const description = await (await fetch(`${control}/network`)).json()
    expect(description).toMatchObject({ issuer: network.issuer })
    expect(JSON.stringify(description)).not.toContain('northern lights')
    await sendJson('PUT', '/access-network/127.0.0.44', { subscriber: 'mira' })
    expect(network.accessNetwork.subscriberAt('127.0.0.44')).toBe('mira')
    expect((await sendJson('PUT', '/access-network/127.0.0.44', { subscriber: 'x' })).status).toBe(
      400,
    )
    await fetch(`${control}/access-network/127.0.0.44`, { method: 'DELETE' })
    expect(network.accessNetwork.subscriberAt('127.0.0.44')).toBeUndefined()

    await obtainToken(network)
    const log = (await (await fetch(`${control}/log?path=/token`)).json()) as { path: string }[]
    expect(log.length).toBeGreaterThan(0)
    expect(log.every(({ path }) => path === '/token')).toBe(true)
    const authorization = { issuer: network.issuer, subscriber: 'mira', clientId: 'skyframe' }
    expect((await sendJson('POST', '/revocations', authorization)).status).toBe(204)
    expect((await sendJson('POST', '/revocations', authorization)).status).toBe(404)
    expect((await sendJson('POST', '/key-rotations', { issuer: network.issuer })).status).toBe(204)
    expect((await sendJson('POST', '/key-rotations', { issuer: 'x' })).status).toBe(400)
    expect((await fetch(`${control}/log`, { method: 'DELETE' })).status).toBe(204)
    expect(network.log.entries).toHaveLength(0)
  })
})
