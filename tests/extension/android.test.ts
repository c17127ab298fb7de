/**
 * Tests the broker without `identity`, `windows` and browser policy, as in Firefox for Android. The tests
 * run in Node, not on a phone.
 *
 * Seen to fail when a module calls `identity.getRedirectURL()`: the background script ends while it is
 * loaded.
 */

import 'fake-indexeddb/auto'
import fake from './support/fake-browser.ts'

vi.mock('webextension-polyfill', async () => {
  const { default: desktop } = await import('./support/fake-browser.ts')
  const { identity: _, windows: __, storage, ...android } = desktop
  const { managed: ___, ...areas } = storage
  Object.assign(globalThis, { __TARGET__: 'firefox' })
  return { default: { ...android, storage: areas } }
})

import { beforeAll, describe, expect, test, vi } from 'vitest'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { ISSUER, OPERATOR } from './support/records.ts'

const pattern = vi.spyOn(fake.webRequest.onBeforeRequest, 'addListener')
const connections = vi.spyOn(fake.runtime.onConnect, 'addListener')

type OnConnect = (port: object) => void

describe('without `identity` and `windows`', () => {
  let onConnect: OnConnect

  beforeAll(async () => {
    await import('../../extension/background/index.ts')
    onConnect = (connections.mock.lastCall as unknown as [OnConnect])[0]
  })

  test('the background starts, and listens at its redirect URI', () => {
    expect(pattern.mock.lastCall?.at(1)).toEqual({
      urls: [`${REDIRECT_BASE.firefox}*`],
      types: ['main_frame'],
    })
  })

  test('a page gets the redirect URI, and the error `no_grant`', async () => {
    const sender = {
      id: 'northkey',
      frameId: 0,
      documentId: 'document',
      documentLifecycle: 'active',
      origin: 'http://localhost:5000',
      url: 'http://localhost:5000/',
      tab: { id: 1, url: 'http://localhost:5000/', cookieStoreId: 'firefox-default' },
    }
    const sendRequest = async (method: string, params?: object) => {
      const [answer] = await new Promise<object[]>((resolve) => {
        const listener = {
          addListener: (listen: (messages: object[]) => void) => listen([request]),
        }
        const request = {
          id: 1,
          method,
          params,
          attempt: 0,
          userActivation: true,
          visible: true,
        }
        const onDisconnect = { addListener: () => {} }
        const name = crypto.randomUUID()
        const postMessage = (answers: { id: number }[]) => answers[0]?.id && resolve(answers)
        onConnect({ name, sender, onMessage: listener, onDisconnect, postMessage })
      })
      return answer
    }
    expect(await sendRequest('broker_getInfo')).toMatchObject({
      result: { redirectUris: [REDIRECT_BASE.firefox] },
    })
    const apis = OPERATOR.apis.map(({ resource }) => ({ resource, scope: 'qos:create' }))
    expect(await sendRequest('northbound_connect', { issuer: ISSUER, apis })).toMatchObject({
      error: { code: 4100, data: { error: 'no_grant' } },
    })
  })

  test('an authorization without a window fails with the error that a window is required', async () => {
    const { authorizeSilently } = await import(
      '../../extension/background/authorization/silent-authorization.ts'
    )
    const metadata = {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      code_challenge_methods_supported: ['S256'],
    }
    const attempt = authorizeSilently({
      server: OPERATOR,
      metadata,
      origin: 'https://app.example',
      clientId: 'client',
      apis: [{ resource: 'https://api.example/v1', scope: 'qos:create' }],
      keyId: 'key',
    })
    await expect(attempt).rejects.toMatchObject({ code: 4210 })
  })

  test('the consent window is a tab', async () => {
    const { openConsent } = await import('../../extension/background/authorization/windows.ts')
    const create = vi.spyOn(fake.tabs, 'create')
    await openConsent('flow')
    expect(create).toHaveBeenCalledOnce()
  })
})
