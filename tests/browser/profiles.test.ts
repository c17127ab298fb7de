/**
 * Tests every sign-in mechanism, onboarding mode and profile of the network through the extension. Each
 * combination ends with a northbound call, and its token is renewed without a window.
 *
 * Seen to fail:
 * - every row, when `renewAccessToken` reports that a window is needed (the calls);
 * - the mechanisms, one at a time, when the network accepts no password, no code and no passkey, and
 *   recognizes no subscriber by the address;
 * - the onboardings, when the application of the origin is not found, a client metadata document is ignored,
 *   and a registration is invented;
 * - the profiles, when `capif` omits `3gpp#`, `camara` omits the purpose, and `oauth` creates no proofs.
 */

import type { Page, Protocol } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FaultRule } from '../../demo-site/network/index.ts'
import { redirectUriFor } from '../../shared/core/index.ts'
import type { Onboarding, ProfileName } from '../../shared/messages/operator-profile.ts'
import type {
  ApiAccess,
  ConnectParams,
  FetchResult,
  Grant,
} from '../../shared/messages/page-api.ts'
import { BROWSER, test as base, IS_COMPLETE } from './fixtures.ts'
import { openTab, pagesAt, until } from './support/pages.ts'
import { submitPassword } from './support/password-form.ts'
import {
  answerConsent,
  type Called,
  call,
  endSessions,
  gesture,
  type Stage,
  tokenRequests,
} from './support/stage.ts'
import { windowsOpenedBy } from './support/windows.ts'

const ONBOARDINGS: Onboarding[] = ['preregistered', 'dynamic', 'client_id_metadata_document']
const PROFILES: ProfileName[] = ['oauth', 'capif', 'camara']
const MECHANISMS = ['password', 'one-time code', 'passkey', 'access network'] as const

type Mechanism = (typeof MECHANISMS)[number]

const TOKEN_REFUSED: FaultRule = {
  server: 'api-exposing-functions',
  times: 1,
  action: { type: 'status', status: 401, body: '{}' },
}

const operatorOf = ({ network }: Stage, profile: ProfileName) => {
  const operator = network.operatorProfiles.find((candidate) => candidate.profile === profile)
  if (!operator) throw new Error(`no operator with the profile ${profile}`)
  return operator
}

const clientUrlOf = ({ application }: Stage) => `${application.origin}/client.json`

/** Serves the client's metadata document at the address that the application names. */
async function serveClientDocument(stage: Stage, issuer: string): Promise<void> {
  stage.application.routes.set('/client.json', {
    raw: true,
    headers: { 'content-type': 'application/json' },
    html: JSON.stringify({
      client_id: clientUrlOf(stage),
      client_name: 'Cloud gaming',
      redirect_uris: [await redirectUriFor(stage.redirectBase, issuer)],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }),
  })
}

function apiOf(stage: Stage, profile: ProfileName): ApiAccess {
  const name = profile === 'camara' ? 'Quality on demand' : 'Session with quality of service'
  const api = operatorOf(stage, profile).apis.find((candidate) => candidate.name === name)
  return {
    resource: api?.resource ?? '',
    scope: api?.scopes.map(({ scope }) => scope).join(' ') ?? '',
    ...(profile === 'camara' && { purpose: api?.purposes?.[0] ?? '' }),
  }
}

const CALLS: Record<'northbound' | 'camara', { path: string; body: object }> = {
  northbound: {
    path: '/cloud-gaming/subscriptions',
    body: { notificationDestination: 'https://unused.invalid/', qosReference: 'QOS_L' },
  },
  camara: {
    path: '/sessions',
    body: {
      applicationServer: { ipv4Address: '198.51.100.7' },
      qosProfile: 'QOS_L',
      duration: 60,
    },
  },
}

function callApi(stage: Stage, page: Page, profile: ProfileName): Promise<Called<FetchResult>> {
  const { path, body } = CALLS[profile === 'camara' ? 'camara' : 'northbound']
  return call(page, 'northbound_fetch', {
    url: apiOf(stage, profile).resource + path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Adds an authenticator with these passkeys to a page. */
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

/** Creates a passkey in the subscriber's account. */
async function makePasskey(stage: Stage): Promise<Protocol.WebAuthn.Credential[]> {
  const account = await openTab(stage.browser)
  const { session, authenticatorId } = await useAuthenticator(account, [])
  await account.goto(`${stage.network.origin}/account`)
  await submitPassword(account, stage.subscriber)
  await account.waitForSelector('form[data-form=passkey]')
  await account.click('form[data-form=passkey] button')
  await account.waitForSelector('[data-passkeys="1"]')
  const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId })
  await endSessions(stage)
  await account.close()
  return credentials
}

/** Waits for a page of the operator that shows this screen. */
function screenOf(stage: Stage, name: string): Promise<Page> {
  return until(`the screen ${name}`, async () => {
    for (const candidate of await pagesAt(stage.browser, stage.network.origin)) {
      // A page that is navigating has no screen.
      const found = await candidate.$(`main[data-screen=${name}]`).catch(() => null)
      if (found) return candidate
    }
    return undefined
  })
}

async function typeOneTimeCode({ browser, network, subscriber }: Stage, form: Page) {
  await form.click('details summary')
  await form.type('#code-phone-number', subscriber.phoneNumber)
  await form.click('form[data-form=send-code] [type=submit]')
  await form.waitForSelector('main[data-screen=code]')
  const phone = await openTab(browser)
  await phone.goto(`${network.origin}/phone`)
  const message = await phone.$eval(
    `[data-phone="${subscriber.phoneNumber}"] [data-message]`,
    (element) => element.textContent ?? '',
  )
  await phone.close()
  await form.type('#code', /\d{6}/.exec(message)?.[0] ?? '')
  await form.click('form[data-form=code] [type=submit]')
}

/** Does the user's part at the operator, without the consent. */
async function signInBy(
  mechanism: Mechanism,
  stage: Stage,
  passkeys: Protocol.WebAuthn.Credential[],
): Promise<void> {
  if (mechanism === 'access network') return
  const form = await screenOf(stage, 'sign-in')
  if (mechanism === 'password') await submitPassword(form, stage.subscriber)
  else if (mechanism === 'one-time code') await typeOneTimeCode(stage, form)
  else {
    await useAuthenticator(form, passkeys)
    await form.waitForSelector('[data-passkey]:not([hidden])')
    await form.click('[data-passkey]')
  }
}

// Firefox's driver has no authenticators. In Firefox a single onboarding runs, with a password.
const combinations = (BROWSER === 'chromium' ? ONBOARDINGS : (['dynamic'] as const)).flatMap(
  (onboarding) => PROFILES.map((profile) => [profile, onboarding] as const),
)
const mechanisms = BROWSER === 'chromium' ? MECHANISMS : (['password'] as const)

/**
 * The mechanisms of one combination. A complete run has them all. Another run has some: all combinations together
 * have each mechanism with each profile and with each onboarding.
 */
function selectMechanisms(profile: ProfileName, onboarding: Onboarding): readonly Mechanism[] {
  if (IS_COMPLETE || mechanisms.length === 1) return mechanisms
  const shift = PROFILES.indexOf(profile) + ONBOARDINGS.indexOf(onboarding)
  return mechanisms.filter((_, index) => (index + shift) % 3 === 0)
}

describe.each(combinations)('%s, %s', (profile, onboarding) => {
  const test = base.extend('options', {
    // Only an application that the operator's profile names can do without a registration.
    requireConsent: true,
    operator: {
      onboarding,
      // The broker would use an application that the profile names without a registration.
      ...(onboarding === 'dynamic' && { applications: [] }),
      dpop: profile === 'capif' ? 'never' : 'when_offered',
      pushedAuthorizationRequests: 'when_offered',
      // CAMARA requires a key that is created on the UE. Only a registration can send the public key to the server.
      clientAuthentication:
        profile === 'camara' && onboarding === 'dynamic' ? 'private_key_jwt' : 'none',
    },
  })

  test.for(selectMechanisms(profile, onboarding))('by %s', async (mechanism, { stage, page }) => {
    const { issuer } = operatorOf(stage, profile)
    const wish: ConnectParams = { issuer, apis: [apiOf(stage, profile)] }
    if (onboarding === 'client_id_metadata_document') {
      await serveClientDocument(stage, issuer)
      wish.clientId = clientUrlOf(stage)
    }
    if (mechanism === 'access network') {
      stage.network.accessNetwork.attach('127.0.0.1', stage.subscriber.id)
    }
    const passkeys = mechanism === 'passkey' ? await makePasskey(stage) : []
    await gesture(page)
    const connecting = call<Grant>(page, 'northbound_connect', wish)
    await answerConsent(stage, 'allow')
    await signInBy(mechanism, stage, passkeys)
    const consent = await screenOf(stage, 'consent')
    await consent.click('form[data-form=consent] [value=allow]')
    const { result, error } = await connecting
    expect(error).toBeUndefined()
    expect(result?.tokenType).toBe(profile === 'capif' ? 'Bearer' : 'DPoP')

    stage.network.log.clear()
    const opened = await windowsOpenedBy(stage, async () => {
      for (let time = 0; time < 2; time++) {
        // A refused token is renewed, and the call is made once more.
        stage.network.faults.add(TOKEN_REFUSED)
        expect((await callApi(stage, page, profile)).result).toMatchObject({ status: 201 })
      }
    })
    expect(opened).toBe(0)
    const renewals = tokenRequests(stage).filter(({ status }) => status === 200)
    expect(renewals).toHaveLength(2)
  })
})
