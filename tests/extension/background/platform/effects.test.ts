/**
 * Tests the effects of the core in the broker: no request and no WebSocket reaches an origin that is not allowed.
 *
 * Seen to fail when `createEffects` passes `fetch` on as it is, when the host is compared without the port, when
 * `openWebSocket` opens every address, when a request does not wait for the rule of Firefox, and when another file of the background calls `fetch`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import fake, { rules } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  createEffects,
  isAllowedWebSocket,
  openWebSocket,
} from '../../../../extension/background/platform/effects.ts'
import { requestResource } from '../../../../shared/core/index.ts'
import { sendRequest } from '../../../../shared/oauth/http.ts'

const ALLOWED = new Set(['https://operator.example', 'http://localhost:4400'])

const OTHERS = [
  'https://evil.example/token',
  'https://operator.example:8443/token',
  'https://operator.example.evil.example/token',
  'https://sub.operator.example/token',
  'https://operator.example./token',
  'https://operator.example@evil.example/token',
  'http://localhost:4401/token',
]

afterEach(() => vi.unstubAllGlobals())

function countRequests() {
  const fetch = vi.fn(async () => new Response('{}'))
  vi.stubGlobal('fetch', fetch)
  return fetch
}

describe('a request of the broker', () => {
  test.each(OTHERS)('A01: to %s is not sent', async (url) => {
    const fetch = countRequests()
    const effects = createEffects(ALLOWED)
    const refused = { code: 'invalid_metadata' }
    for (const input of [url, new URL(url), new Request(url.replace(/\/\/.*@/, '//'))]) {
      await expect(effects.fetch(input)).rejects.toMatchObject(refused)
    }
    const request = { method: 'POST', headers: {}, body: 'code=secret' }
    await expect(sendRequest(url, request, 'token endpoint', effects)).rejects.toThrow()
    const call = { url, method: 'GET', accessToken: 'secret', tokenType: 'Bearer' as const }
    await expect(requestResource(call, effects)).rejects.toThrow()
    expect(fetch).not.toHaveBeenCalled()
  })

  test('A01: the error of a call says what was expected, and not that the network failed', async () => {
    const call = { url: OTHERS[0] ?? '', method: 'GET', accessToken: 'secret' }
    await expect(
      requestResource({ ...call, tokenType: 'Bearer' }, createEffects(ALLOWED)),
    ).rejects.toMatchObject({
      code: 'invalid_metadata',
      message: 'the request must go to a server that the operator profile names',
    })
  })

  test.each(['https://operator.example/token', 'http://localhost:4400/token'])(
    'A01: to %s is sent',
    async (url) => {
      const fetch = countRequests()
      await createEffects(ALLOWED).fetch(url)
      expect(fetch).toHaveBeenCalledTimes(1)
    },
  )
})

describe('a WebSocket of the broker', () => {
  test.each([
    ['wss://operator.example/notifications', true],
    ['ws://localhost:4400/notifications', true],
    ['wss://operator.example:443/', true],
    ['ws://operator.example/notifications', false],
    ['wss://evil.example/', false],
    ['wss://operator.example:8443/', false],
    ['wss://localhost:4400/', false],
    ['https://operator.example/', false],
    ['notifications', false],
  ])('A01: to %s is opened: %s', (uri, isAllowed) => {
    const opened = vi.fn()
    vi.stubGlobal(
      'WebSocket',
      class extends Object {
        constructor(address: string) {
          super()
          opened(address)
        }
      },
    )
    expect(isAllowedWebSocket(uri, ALLOWED)).toBe(isAllowed)
    if (isAllowed) openWebSocket(uri, ALLOWED)
    else expect(() => openWebSocket(uri, ALLOWED)).toThrow('operator profile names')
    expect(opened).toHaveBeenCalledTimes(isAllowed ? 1 : 0)
  })
})

test('A01: no other file of the background sends requests to servers', () => {
  const folder = new URL('../../../../extension/background/', import.meta.url)
  const senders = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      /(?<![.\w])fetch\((?!browser\.runtime\.getURL)|new (?:WebSocket|EventSource|XMLHttpRequest)\b|sendBeacon/.test(
        readFileSync(new URL(file, folder), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''),
      ),
    )
  expect(senders).toEqual(['platform/effects.ts'])
})

describe('A04: a request in Firefox', () => {
  const useFirefox = () => {
    Object.assign(globalThis, { __TARGET__: 'firefox' })
    onTestFinished(() => void Object.assign(globalThis, { __TARGET__: 'chromium' }))
  }
  const send = (url = 'https://operator.example/token') => createEffects(ALLOWED).fetch(url)

  test('is not sent if the browser does not take the rule that removes its identifier', async () => {
    useFirefox()
    const fetch = countRequests()
    vi.spyOn(fake.declarativeNetRequest, 'updateSessionRules').mockRejectedValueOnce(new Error())
    await expect(send()).rejects.toThrow()
    expect(fetch).not.toHaveBeenCalled()
  })

  test('is not sent without the permission for the host, which the rule needs', async () => {
    useFirefox()
    const fetch = countRequests()
    vi.spyOn(fake.permissions, 'contains').mockResolvedValueOnce(false)
    await expect(send('http://localhost:4400/')).rejects.toThrow('permission')
    expect(fetch).not.toHaveBeenCalled()
  })

  test('is sent only after that rule', async () => {
    useFirefox()
    let presentRules: unknown
    vi.stubGlobal('fetch', async () => {
      presentRules = structuredClone(rules.session)
      return new Response('{}')
    })
    await send()
    expect(presentRules).toMatchObject([
      {
        id: 3,
        action: { requestHeaders: [{ header: 'cookie' }, { header: 'origin' }] },
        condition: { resourceTypes: ['websocket', 'xmlhttprequest'] },
      },
    ])
  })
})
