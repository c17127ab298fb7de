/**
 * Runs flows that need no user: the subscriber has signed in at the operator beforehand, and the operator has
 * the authorization of the application on record. A window then opens and closes by itself.
 */

import type { Page } from 'puppeteer-core'
import type { Subscriber } from '../../../demo-site/network/index.ts'
import { beginAuthorization, discover, redirectUriFor } from '../../../shared/core/index.ts'
import type { ApiRequest, ConnectParams, Grant } from '../../../shared/messages/page-api.ts'
import { signInAndAllow } from '../../network/support/client.ts'
import { ScriptedBrowser } from '../../network/support/scripted-browser.ts'
import { EFFECTS } from '../../network/support/ue.ts'
import { changeMetadata } from './faults.ts'
import { answerConsent, type Called, CLIENT_ID, call, gesture, type Stage } from './stage.ts'

/**
 * Signs the subscriber in at an operator and authorizes the application, without a page of the browser; the
 * browser gets the session's cookies. The network's log is empty afterwards.
 */
export async function signInBeforehand(
  stage: Stage,
  { issuer, apis }: { issuer: string; apis: ApiRequest[] } = stage.wish(),
  subscriber: Subscriber = stage.subscriber,
): Promise<void> {
  const { network, redirectBase } = stage
  const server = network.operatorProfiles.find((profile) => profile.issuer === issuer)
  if (!server) throw new Error('issuer: expected one of the stage’s network')
  const { authorizationUrl } = await beginAuthorization(
    {
      // Only the user's part of the flow runs, so no client authentication is needed.
      server: { ...server, clientAuthentication: 'none', pushedAuthorizationRequests: 'never' },
      metadata: await discover(server, EFFECTS),
      clientId: CLIENT_ID,
      redirectUri: await redirectUriFor(redirectBase, issuer),
      apis,
      deadlineMs: Date.now() + 60_000,
      offlineAccess: true,
      // The authorization serves a broker that asks for an ID token, and another broker too.
      idToken: true,
    },
    EFFECTS,
  )
  const signIn = new ScriptedBrowser()
  await signInAndAllow(signIn, new URL(authorizationUrl), {
    phone_number: subscriber.phoneNumber,
    password: subscriber.password,
  })
  const cookies = await signIn.cookies.store.getAllCookies()
  // Removes the operator's cookies of an earlier session, which would be sent together with the new cookies.
  const earlier = (await stage.browser.cookies()).filter((known) =>
    cookies.some(({ key, path }) => key === known.name && (path ?? '/') === known.path),
  )
  await stage.browser.deleteCookie(...earlier)
  await stage.browser.setCookie(
    ...cookies.map(({ key, value, path, httpOnly }) => ({
      name: key,
      value,
      path: path ?? '/',
      httpOnly,
      domain: new URL(issuer).hostname,
    })),
  )
  network.log.clear()
}

/**
 * Gets a grant in the quickest way: the subscriber is signed in beforehand, and the user clicks in the page.
 */
export async function connectQuickly(
  stage: Stage,
  page: Page,
  params: ConnectParams = stage.wish(),
): Promise<Called<Grant>> {
  await signInBeforehand(stage, params)
  await gesture(page)
  return call<Grant>(page, 'northbound_connect', params)
}

/**
 * Gets a further grant for a page that has a grant of the operator. The further grant is wider, so the broker
 * asks the user although the operator waives the consent.
 */
export async function connectFurther(
  stage: Stage,
  page: Page,
  params: ConnectParams,
): Promise<Called<Grant>> {
  await gesture(page)
  const connecting = call<Grant>(page, 'northbound_connect', params)
  await answerConsent(stage, 'allow')
  return connecting
}

/**
 * Removes the revocation endpoint. The operator does not learn of a revocation, so it does not ask for
 * consent again.
 */
export function withoutRevocation({ network }: Pick<Stage, 'network'>): Promise<void> {
  return changeMetadata(network, (metadata) => {
    delete metadata.revocation_endpoint
  })
}

/** Runs a flow from the page's call to the grant, and then revokes the grant. */
export async function connectAndRevoke(stage: Stage, page: Page): Promise<Called<Grant>> {
  await gesture(page)
  const outcome = await call<Grant>(page, 'northbound_connect', stage.wish())
  if (outcome.result) await call(page, 'northbound_revoke')
  return outcome
}
