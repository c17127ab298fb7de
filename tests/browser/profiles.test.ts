/**
 * Every sign-in mechanism, onboarding mode and profile of the network, through the extension: each ends
 * in a northbound call, with a token that is renewed without a window.
 *
 * Seen to fail, each row, when `renewAccessToken` says that a window is needed (the calls), and when the network
 * takes no password, no code and no passkey and knows nobody by its address (the mechanisms, one by one);
 * when the origin's application is not found, a client document counts for nothing, and a registration is
 * made up (the onboardings); and when `capif` leaves `3gpp#` out, `camara` the purpose, and `oauth` makes no
 * proofs (the profiles).
 */

import type { Page, Protocol } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { redirectUriFor } from '../../shared/core/index.ts'
import type { Onboarding, ProfileName } from '../../shared/messages/operator-profile.ts'
import type {
  ApiAccess,
  ConnectParams,
  FetchResult,
  Grant,
} from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from './fixtures.ts'
import { pagesAt, until } from './support/pages.ts'
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

/** A token is renewed 30 s before its end: with this lifetime before each call. */
const TOKEN_SECONDS = 30

const operatorOf = ({ network }: Stage, profile: ProfileName) => {
  const operator = network.operatorProfiles.find((candidate) => candidate.profile === profile)
  if (!operator) throw new Error(`no operator with the profile ${profile}`)
  return operator
}

const clientUrlOf = ({ application }: Stage) => `${application.origin}/client.json`

/** Puts the client's metadata document where the application says that it is. */
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

/** Makes a passkey in the subscriber's account. */
async function makePasskey(stage: Stage): Promise<Protocol.WebAuthn.Credential[]> {
  const account = await stage.browser.newPage()
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

/** A page of the operator that shows this screen. */
function screenOf(stage: Stage, name: string): Promise<Page> {
  return until(`the screen ${name}`, async () => {
    for (const candidate of await pagesAt(stage.browser, stage.network.origin)) {
      // A page on its way elsewhere has no screen to look at.
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
  const phone = await browser.newPage()
  await phone.goto(`${network.origin}/phone`)
  const message = await phone.$eval(
    `[data-phone="${subscriber.phoneNumber}"] [data-message]`,
    (element) => element.textContent ?? '',
  )
  await phone.close()
  await form.type('#code', /\d{6}/.exec(message)?.[0] ?? '')
  await form.click('form[data-form=code] [type=submit]')
}

/** The user's half at the operator, without its consent. */
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

// Firefox's driver has no authenticators: there it is one onboarding, by password.
const combinations = (BROWSER === 'chromium' ? ONBOARDINGS : (['dynamic'] as const)).flatMap(
  (onboarding) => PROFILES.map((profile) => [profile, onboarding] as const),
)
const mechanisms = BROWSER === 'chromium' ? MECHANISMS : (['password'] as const)

describe.each(combinations)('%s, %s', (profile, onboarding) => {
  const test = base.extend('options', {
    accessTokenSeconds: TOKEN_SECONDS,
    // Only an application that the operator's profile names can go without.
    requireConsent: true,
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

  test.for(mechanisms)('by %s', async (mechanism, { stage, page }) => {
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
      expect((await callApi(stage, page, profile)).result).toMatchObject({ status: 201 })
      expect((await callApi(stage, page, profile)).result).toMatchObject({ status: 201 })
    })
    expect(opened).toBe(0)
    const renewals = tokenRequests(stage).filter(({ status }) => status === 200)
    expect(renewals).toHaveLength(2)
  })
})
