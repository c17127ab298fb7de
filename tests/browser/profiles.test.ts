/**
 * Every sign-in mechanism, onboarding mode and profile of the network, through the extension: each ends
 * in a northbound call, and the second time, after the token's end, without a window.
 *
 * Seen to fail, each row, when `renew` says that a window is needed (the second call), and when the network
 * takes no password, no code and no passkey and knows nobody by its address (the mechanisms, one by one);
 * when the origin's application is not found, a client document counts for nothing, and a registration is
 * made up (the onboardings); and when `capif` leaves `3gpp#` out, `camara` the purpose, and `oauth` makes no
 * proofs (the profiles).
 */

import type { Page, Protocol } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { redirectUriFor } from '../../shared/core/index.ts'
import type {
  Onboarding,
  OperatorProfile,
  ProfileName,
} from '../../shared/messages/operator-profile.ts'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { pagesAt, until } from './support/pages.ts'
import { answerConsent, type Called, call, type Stage, startStage } from './support/stage.ts'

const ONBOARDINGS: Onboarding[] = ['preregistered', 'dynamic', 'client_id_metadata_document']
const PROFILES: ProfileName[] = ['oauth', 'capif', 'camara']
const MECHANISMS = ['password', 'one-time code', 'passkey', 'access network'] as const

/** A token is renewed 30 s before its end: this one after one second. */
const TOKEN_SECONDS = 31

/** An authenticator for one page, with these passkeys in it. */
async function useAuthenticator(page: Page, passkeys: Protocol.WebAuthn.Credential[]) {
  const session = await page.createCDPSession()
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  for (const credential of passkeys) {
    await session.send('WebAuthn.addCredential', { authenticatorId, credential })
  }
  return { session, authenticatorId }
}

const combinations = ONBOARDINGS.flatMap((onboarding) =>
  PROFILES.map((profile) => ['chromium', profile, onboarding] as const),
)

const inFirefox = PROFILES.map((profile) => ['firefox', profile, 'dynamic'] as const)

describe.each([...combinations, ...inFirefox])('%s, %s, %s', (name, profile, onboarding) => {
  let stage: Stage
  let page: Page
  let operator: OperatorProfile

  beforeAll(async () => {
    stage = await startStage(name, {
      accessTokenSeconds: TOKEN_SECONDS,
      operator: {
        onboarding,
        // An application that the profile names would be used as it is.
        ...(onboarding === 'dynamic' && { applications: [] }),
        dpop: profile === 'capif' ? 'never' : 'when_offered',
        pushedAuthorizationRequests: 'when_offered',
        // CAMARA wants a key made on the UE; only a registration can tell the server of it.
        clientAuthentication:
          profile === 'camara' && onboarding === 'dynamic' ? 'private_key_jwt' : 'none',
      },
    })
    const found = stage.network.operatorProfiles.find((one) => one.profile === profile)
    if (!found) throw new Error(`no operator with the profile ${profile}`)
    operator = found
    stage.application.routes.set('/client.json', {
      raw: true,
      headers: { 'content-type': 'application/json' },
      html: JSON.stringify({
        client_id: `${stage.application.origin}/client.json`,
        client_name: 'Cloud gaming',
        redirect_uris: [await redirectUriFor(stage.redirectBase, operator.issuer)],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      }),
    })
  })
  afterAll(() => stage?.close())

  /** The next test begins with nobody signed in and nothing granted. */
  afterEach(async () => {
    await call(page, 'northbound_revoke')
    stage.network.accessNetwork.detach('127.0.0.1')
    if (name === 'chromium') {
      const session = await page.createCDPSession()
      await session.send('Network.clearBrowserCookies')
    }
    await page.close()
  })

  function wish() {
    const title = profile === 'camara' ? 'Quality on demand' : 'Session with quality of service'
    const api = operator.apis.find(({ name }) => name === title)
    return {
      issuer: operator.issuer,
      apis: [
        {
          resource: api?.resource ?? '',
          scope: api?.scopes.map(({ scope }) => scope).join(' ') ?? '',
          ...(profile === 'camara' && { purpose: api?.purposes?.[0] ?? '' }),
        },
      ],
      ...(onboarding === 'client_id_metadata_document' && {
        clientId: `${stage.application.origin}/client.json`,
      }),
    }
  }

  function northboundCall() {
    const { resource } = wish().apis[0] ?? { resource: '' }
    const [path, body] =
      profile === 'camara'
        ? [
            '/sessions',
            {
              applicationServer: { ipv4Address: '198.51.100.7' },
              qosProfile: 'QOS_L',
              duration: 60,
            },
          ]
        : [
            '/cloud-gaming/subscriptions',
            { notificationDestination: 'https://unused.invalid/', qosReference: 'QOS_L' },
          ]
    return call<FetchResult>(page, 'northbound_fetch', {
      url: resource + path,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async function signIn(
    mechanism: (typeof MECHANISMS)[number],
    passkeys: Protocol.WebAuthn.Credential[],
    outcome: Promise<Called<Grant>>,
  ): Promise<void> {
    const [subscriber] = stage.network.subscribers.all
    if (!subscriber) throw new Error('no subscriber')
    const screen = (name: string) =>
      until(`the screen ${name}`, async () => {
        for (const candidate of await pagesAt(stage.browser, new URL(operator.issuer).origin)) {
          // A page on its way elsewhere has no screen to look at.
          const found = await candidate.$(`main[data-screen=${name}]`).catch(() => null)
          if (found) return candidate
        }
        return undefined
      })
    if (mechanism !== 'access network') {
      const form = await screen('sign-in')
      if (mechanism === 'password') {
        await form.type('#phone-number', subscriber.phoneNumber)
        await form.type('#password', subscriber.password)
        await form.click('form[data-form=password] [type=submit]')
      } else if (mechanism === 'one-time code') {
        await form.click('details summary')
        await form.type('#code-phone-number', subscriber.phoneNumber)
        await form.click('form[data-form=send-code] [type=submit]')
        const prompt = await screen('code')
        const phone = await stage.browser.newPage()
        await phone.goto(`${new URL(operator.issuer).origin}/phone`)
        const message = await phone.$eval(
          `[data-phone="${subscriber.phoneNumber}"] [data-message]`,
          (element) => element.textContent ?? '',
        )
        await phone.close()
        await prompt.type('#code', /\d{6}/.exec(message)?.[0] ?? '')
        await prompt.click('form[data-form=code] [type=submit]')
      } else {
        await useAuthenticator(form, passkeys)
        await form.waitForSelector('[data-passkey]:not([hidden])')
        await form.click('[data-passkey]')
      }
    }
    // An authorization that is on record is not asked for again.
    const consent = await Promise.race([screen('consent'), outcome])
    if ('click' in consent) await consent.click('form[data-form=consent] [value=allow]')
  }

  /** Makes a passkey in the subscriber's account. */
  async function makePasskey(): Promise<Protocol.WebAuthn.Credential[]> {
    const [subscriber] = stage.network.subscribers.all
    const account = await stage.browser.newPage()
    const { session, authenticatorId } = await useAuthenticator(account, [])
    await account.goto(`${new URL(operator.issuer).origin}/account`)
    await account.type('[name=phone_number]', subscriber?.phoneNumber ?? '')
    await account.type('[name=password]', subscriber?.password ?? '')
    await account.click('form[data-form=password] [type=submit]')
    await account.waitForSelector('form[data-form=passkey]')
    await account.click('form[data-form=passkey] button')
    await account.waitForSelector('[data-passkeys="1"]')
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId })
    await session.send('Network.clearBrowserCookies')
    await account.close()
    return credentials
  }

  // Firefox's driver has no authenticators and clears no cookies: it makes one full pass.
  test.each(name === 'chromium' ? MECHANISMS : (['password'] as const))(
    'by %s',
    async (mechanism) => {
      if (mechanism === 'access network') stage.network.accessNetwork.attach('127.0.0.1', 'mira')
      const passkeys = mechanism === 'passkey' ? await makePasskey() : []
      page = await stage.open()
      const outcome = call<Grant>(page, 'northbound_connect', wish())
      await answerConsent(stage, 'allow')
      await signIn(mechanism, passkeys, outcome)
      const { result, error } = await outcome
      expect(error).toBeUndefined()
      expect(result?.tokenType).toBe(profile === 'capif' ? 'Bearer' : 'DPoP')
      expect((await northboundCall()).result).toMatchObject({ status: 201 })

      const windows = (await stage.browser.pages()).length
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      expect((await northboundCall()).result).toMatchObject({ status: 201 })
      expect(await stage.browser.pages()).toHaveLength(windows)
    },
  )
})
