/** Stock OAuth client for tests: openid-client, which shares no code with this project. */

import * as oauth from 'openid-client'
import {
  type Network,
  type NetworkOptions,
  startNetwork,
} from '../../../demo-site/network/index.ts'
import { redirectUriFor } from '../../../shared/core/redirect-uri.ts'
import { type Page, ScriptedBrowser } from './scripted-browser.ts'

export const REDIRECT_BASE = 'https://abcdefghijklmnopabcdefghijklmnop.chromiumapp.org/'
export const APPLICATION = {
  clientId: 'skyframe',
  name: 'Skyframe',
  origins: ['http://127.0.0.1:5173'],
}

export function startTestNetwork(options: Partial<NetworkOptions> = {}): Promise<Network> {
  return startNetwork({ applications: [APPLICATION], redirectBases: [REDIRECT_BASE], ...options })
}

export interface StockClient {
  configuration: oauth.Configuration
  redirectUri: string
}

export async function createStockClient(
  issuer: string,
  clientId = APPLICATION.clientId,
  authentication: oauth.ClientAuth = oauth.None(),
  algorithm: 'oauth2' | 'oidc' = 'oauth2',
): Promise<StockClient> {
  const configuration = await oauth.discovery(
    new URL(issuer),
    clientId,
    { id_token_signed_response_alg: 'ES256' },
    authentication,
    { execute: [oauth.allowInsecureRequests], algorithm },
  )
  return { configuration, redirectUri: await redirectUriFor(REDIRECT_BASE, issuer) }
}

export interface PendingAuthorization {
  url: URL
  codeVerifier: string
  state: string
}

export async function createAuthorizationRequest(
  client: StockClient,
  parameters: Record<string, string>,
): Promise<PendingAuthorization> {
  const codeVerifier = oauth.randomPKCECodeVerifier()
  const state = oauth.randomState()
  const url = oauth.buildAuthorizationUrl(client.configuration, {
    redirect_uri: client.redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    ...parameters,
  })
  return { url, codeVerifier, state }
}

export function redeemCode(
  client: StockClient,
  pending: PendingAuthorization,
  response: URL,
  parameters: Record<string, string> = {},
) {
  return oauth.authorizationCodeGrant(
    client.configuration,
    response,
    { pkceCodeVerifier: pending.codeVerifier, expectedState: pending.state },
    parameters,
  )
}

/** Signs in by password and gives consent if requested, up to the authorization response. */
export async function signInAndAllow(
  browser: ScriptedBrowser,
  url: URL,
  credentials = { phone_number: '+44 7700 900101', password: 'northern lights' },
): Promise<Page> {
  let page = await browser.open(url)
  if (page.screen === 'sign-in') page = await browser.submit(page, 'password', credentials)
  if (page.screen === 'consent') page = await allowAccess(browser, page)
  return page
}

export function allowAccess(browser: ScriptedBrowser, page: Page): Promise<Page> {
  return browser.submit(page, 'consent', {}, { name: 'decision', value: 'allow' })
}

/** Obtains a token for one API, with a new browser. */
export async function obtainToken(
  network: Network,
  scope = '3gpp-as-session-with-qos',
  resource = `${network.apisOrigin}/3gpp-as-session-with-qos/v1`,
) {
  const client = await createStockClient(network.issuer)
  const browser = new ScriptedBrowser()
  const pending = await createAuthorizationRequest(client, { scope, resource })
  const page = await signInAndAllow(browser, pending.url)
  const tokens = await redeemCode(client, pending, page.url)
  return { client, browser, pending, page, tokens }
}
