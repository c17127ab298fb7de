import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Runtime } from 'webextension-polyfill'
import { isOwnScreen, verifyPageSender } from '../../../../extension/background/page/sender.ts'
import { isSecureOrigin } from '../../../../extension/background/platform/secure-origin.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'

const OWN_ID = 'own-id'
const ORIGIN = 'https://play.example'

beforeEach(() => {
  vi.stubGlobal('__TARGET__', 'chromium')
})

function senderWith(changes: Record<string, unknown>): Runtime.MessageSender {
  const sender = {
    id: OWN_ID,
    frameId: 0,
    tab: { id: 7 },
    origin: ORIGIN,
    documentId: 'document',
    documentLifecycle: 'active',
    url: `${ORIGIN}/page`,
    ...changes,
  }
  return sender as unknown as Runtime.MessageSender
}

describe('the browser’s own statement identifies the caller', () => {
  test('the top document of a tab may call', () => {
    expect(verifyPageSender(senderWith({}), OWN_ID, false)).toEqual({
      origin: ORIGIN,
      tabId: 7,
      documentId: 'document',
    })
  })

  const rejected: [title: string, changes: Record<string, unknown>][] = [
    ['another extension', { id: 'other-id' }],
    ['a frame', { frameId: 3 }],
    ['no tab', { tab: undefined }],
    ['a sandboxed document that keeps the address of the site around it', { origin: 'null' }],
    ['no origin at all', { origin: undefined }],
    ['a prerendered document', { documentLifecycle: 'prerender' }],
    ['a document in the back-forward cache', { documentLifecycle: 'cached' }],
    ['an insecure origin', { origin: 'http://play.example' }],
    ['loopback outside the development build', { origin: 'http://127.0.0.1:8080' }],
  ]
  const inFirefox: [title: string, cookieStoreId: string | undefined][] = [
    ['a container', 'firefox-container-1'],
    ['a private window', 'firefox-private'],
    ['a cookie store without a name', undefined],
  ]
  test.each(inFirefox)('A05: a tab in %s is rejected in Firefox', (_, cookieStoreId) => {
    vi.stubGlobal('__TARGET__', 'firefox')
    const sender = senderWith({ tab: { id: 7, cookieStoreId } })
    expect(() => verifyPageSender(sender, OWN_ID, false)).toThrow(
      expect.objectContaining({ code: ERROR_CODE.forbiddenContext }),
    )
  })

  test('a tab of Firefox without a container may call', () => {
    vi.stubGlobal('__TARGET__', 'firefox')
    const sender = senderWith({ tab: { id: 7, cookieStoreId: 'firefox-default' } })
    expect(verifyPageSender(sender, OWN_ID, false).origin).toBe(ORIGIN)
  })

  test.each(rejected)('%s is rejected', (_, changes) => {
    expect(() => verifyPageSender(senderWith(changes), OWN_ID, false)).toThrow(
      expect.objectContaining({ code: ERROR_CODE.forbiddenContext }),
    )
  })

  test('the address of the sender does not count: the origin is read from `sender.origin`', () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        expect(verifyPageSender(senderWith({ url }), OWN_ID, false).origin).toBe(ORIGIN)
      }),
    )
  })
})

describe('secure origins', () => {
  const table: [origin: string, released: boolean, development: boolean][] = [
    ['https://play.example', true, true],
    ['https://play.example:8443', true, true],
    ['http://localhost:8080', false, true],
    ['http://app.localhost', false, true],
    ['http://127.0.0.1:1', false, true],
    ['http://127.0.0.2:1', false, false],
    ['http://localhost.evil.example', false, false],
    ['http://evil-localhost', false, false],
    ['https://play.example/', false, false],
    ['https://PLAY.example', false, false],
    ['https://play.example@evil.example', false, false],
    ['ws://localhost', false, false],
    ['null', false, false],
    ['', false, false],
  ]
  test.each(table)('%s', (origin, released, development) => {
    expect(isSecureOrigin(origin, false)).toBe(released)
    expect(isSecureOrigin(origin, true)).toBe(development)
  })
})

describe('the broker’s own screens', () => {
  const own = 'chrome-extension://own-id'
  const table: [title: string, changes: Record<string, unknown>, expected: boolean][] = [
    ['a screen', { origin: own, url: `${own}/ui/popup/index.html` }, true],
    ['a screen of a browser that names no origin', { origin: undefined, url: `${own}/ui/x` }, true],
    ['a page', {}, false],
    ['a page whose address begins like ours', { origin: undefined, url: `${own}.evil/` }, false],
    ['another extension', { id: 'other', origin: own }, false],
  ]
  test.each(table)('%s', (_, changes, expected) => {
    expect(isOwnScreen(senderWith(changes), OWN_ID, own)).toBe(expected)
  })
})
