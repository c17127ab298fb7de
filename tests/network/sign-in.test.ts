/** Sign-in methods of the authorization function, and the separation of sessions. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_SUBSCRIBERS, type Network } from '../../demo-site/network/index.ts'
import { SoftwareAuthenticator } from './support/authenticator.ts'
import {
  allowAccess,
  createAuthorizationRequest,
  createStockClient,
  redeemCode,
  signInAndAllow,
  startTestNetwork,
} from './support/client.ts'
import { ScriptedBrowser } from './support/scripted-browser.ts'
import { MIRA, readCodeOnPhone, registerPasskey, signInToAccount } from './support/sign-in.ts'

let network: Network

beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.close())

async function openAuthorization(
  browser: ScriptedBrowser,
  parameters: Record<string, string> = {},
) {
  const client = await createStockClient(network.issuer)
  const { url } = await createAuthorizationRequest(client, {
    scope: '3gpp-as-session-with-qos',
    resource: `${network.apisOrigin}/3gpp-as-session-with-qos/v1`,
    ...parameters,
  })
  return browser.open(url)
}

describe('a one-time code', () => {
  it('arrives on the phone, and is valid once', async () => {
    const browser = new ScriptedBrowser()
    const first = await browser.submit(await openAuthorization(browser), 'send-code', {
      phone_number: MIRA.phone_number,
    })
    expect(first.screen).toBe('code')
    const code = readCodeOnPhone(network)
    const phones = await browser.open(`${network.origin}/phone`)
    expect(phones.document.querySelector('[data-message]')?.text).toContain(code)
    const wrong = code === '000000' ? '111111' : '000000'
    const rejected = await browser.submit(first, 'code', { code: wrong })
    expect([rejected.screen, rejected.status]).toEqual(['code', 422])
    const consent = await browser.submit(first, 'code', { code })
    expect(consent.screen).toBe('consent')

    const otherBrowser = new ScriptedBrowser()
    const secondPage = await otherBrowser.submit(
      await openAuthorization(otherBrowser),
      'send-code',
      {
        phone_number: '+440',
      },
    )
    const replayed = await otherBrowser.submit(secondPage, 'code', { code })
    expect(replayed.status).toBe(422)
  })

  it('is deleted after five wrong attempts', async () => {
    const browser = new ScriptedBrowser()
    const page = await browser.submit(await openAuthorization(browser), 'send-code', {
      phone_number: MIRA.phone_number,
    })
    const code = readCodeOnPhone(network)
    const wrong = code === '000000' ? '111111' : '000000'
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await browser.submit(page, 'code', { code: wrong })
    }
    expect((await browser.submit(page, 'code', { code })).status).toBe(422)
  })

  it('gets the same answer for an unknown number', async () => {
    const browser = new ScriptedBrowser()
    const page = await browser.submit(await openAuthorization(browser), 'send-code', {
      phone_number: '+447700900199',
    })
    expect(page.screen).toBe('code')
    expect(page.text).not.toContain('do not know')
  })
})

describe('a passkey (WebAuthn)', () => {
  it('signs in the subscriber who registered it, and each challenge is valid once', async () => {
    const authenticator = await registerPasskey(network)
    const browser = new ScriptedBrowser()
    const page = await openAuthorization(browser)
    const action = page.document.querySelector('[data-passkey]')?.getAttribute('data-passkey') ?? ''
    const options = await browser.post(new URL(action, page.url))
    const assertion = authenticator.get(options)
    const consent = await browser.submit(page, 'passkey', { assertion })
    expect(consent.screen).toBe('consent')

    const otherBrowser = new ScriptedBrowser()
    const replayed = await otherBrowser.submit(await openAuthorization(otherBrowser), 'passkey', {
      assertion,
    })
    expect([replayed.screen, replayed.status]).toEqual(['sign-in', 422])
  })

  it('is rejected when another origin has made the signature', async () => {
    const elsewhere = new SoftwareAuthenticator('http://evil.example')
    const browser = new ScriptedBrowser()
    const account = await signInToAccount(browser, network)
    const options = await browser.post(`${network.origin}/account/passkey-options`)
    const before = account.document.querySelector('[data-passkeys]')?.getAttribute('data-passkeys')
    const after = await browser.submit(account, 'passkey', { assertion: elsewhere.create(options) })
    expect(after.document.querySelector('[data-passkeys]')?.getAttribute('data-passkeys')).toBe(
      before,
    )
  })
})

describe('the access network', () => {
  it('identifies the subscriber by the address, so that only consent is requested', async () => {
    network.accessNetwork.attach('127.0.0.9', 'jonas')
    const browser = new ScriptedBrowser({ address: '127.0.0.9' })
    const page = await openAuthorization(browser)
    expect(page.screen).toBe('consent')
    expect(page.text).toContain('Jonas Lindqvist')
  })

  it('does not identify a UE on Wi-Fi', async () => {
    const page = await openAuthorization(new ScriptedBrowser())
    expect(page.document.querySelector('[data-access-network="unknown"]')?.text).toContain('Wi-Fi')
  })

  it('signs the subscriber out when the UE leaves the address', async () => {
    network.accessNetwork.attach('127.0.0.10', 'amal')
    const browser = new ScriptedBrowser({ address: '127.0.0.10' })
    expect((await openAuthorization(browser)).screen).toBe('consent')
    network.accessNetwork.detach('127.0.0.10')
    expect((await openAuthorization(browser)).screen).toBe('sign-in')
  })

  it('answers login_required with the reason to prompt=none of CAMARA off the mobile network', async () => {
    const client = await createStockClient(`${network.issuer}/camara`)
    const { url } = await createAuthorizationRequest(client, {
      scope: 'openid dpv:FraudPreventionAndDetection number-verification:verify',
      prompt: 'none',
    })
    const page = await new ScriptedBrowser().open(url)
    expect(page.url.searchParams.get('error')).toBe('login_required')
    expect(page.url.searchParams.get('error_description')).toBe(
      'USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK',
    )
  })
})

describe('login_hint', () => {
  it('fills in the phone number of a known subscriber, given as a tel: URI', async () => {
    const page = await openAuthorization(new ScriptedBrowser(), {
      login_hint: `tel:${DEFAULT_SUBSCRIBERS[1]?.phoneNumber}`,
    })
    expect(page.document.querySelector('#phone-number')?.getAttribute('value')).toBe(
      DEFAULT_SUBSCRIBERS[1]?.phoneNumber,
    )
  })
})

describe('prompt=login', () => {
  it('lets another subscriber sign in with the same browser, who then authorizes the application anew', async () => {
    const client = await createStockClient(network.issuer)
    const parameters = {
      scope: '3gpp-as-session-with-qos',
      resource: `${network.apisOrigin}/3gpp-as-session-with-qos/v1`,
    }
    const browser = new ScriptedBrowser()
    const first = await createAuthorizationRequest(client, parameters)
    const mine = await redeemCode(client, first, (await signInAndAllow(browser, first.url)).url)
    const second = await createAuthorizationRequest(client, { ...parameters, prompt: 'login' })
    const signIn = await browser.open(second.url)
    expect(signIn.screen).toBe('sign-in')
    const jonas = { phone_number: '+447700900102', password: 'paper boats' }
    const consent = await browser.submit(signIn, 'password', jonas)
    expect(consent.text).toContain('Jonas Lindqvist')
    const theirs = await redeemCode(client, second, (await allowAccess(browser, consent)).url)
    expect(decodeJwt(theirs.access_token).sub).not.toBe(decodeJwt(mine.access_token).sub)
    const silent = await createAuthorizationRequest(client, { ...parameters, prompt: 'none' })
    const secondResult = await redeemCode(client, silent, (await browser.open(silent.url)).url)
    expect(decodeJwt(secondResult.access_token).sub).toBe(decodeJwt(theirs.access_token).sub)
  })
})

describe('two networks in one process', () => {
  it('share neither cookies nor codes in one browser', async () => {
    const otherNetwork = await startTestNetwork()
    try {
      const browser = new ScriptedBrowser()
      const signedIn = await browser.submit(await openAuthorization(browser), 'password', MIRA)
      expect(signedIn.screen).not.toBe('sign-in')
      const client = await createStockClient(otherNetwork.issuer)
      const { url } = await createAuthorizationRequest(client, {
        scope: '3gpp-as-session-with-qos',
        resource: `${otherNetwork.apisOrigin}/3gpp-as-session-with-qos/v1`,
      })
      expect((await browser.open(url)).screen).toBe('sign-in')
    } finally {
      await otherNetwork.close()
    }
  })
})
