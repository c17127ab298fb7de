/** Resource owner function: the account page, revocation by the subscriber, and its effects. */

import { decodeJwt, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import * as oauth from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../demo-site/network/index.ts'
import { obtainToken, startTestNetwork } from './support/client.ts'
import { ScriptedBrowser } from './support/scripted-browser.ts'
import { createPerson, MIRA, signInToAccount } from './support/sign-in.ts'
import { callApi, createApiAccess, obtainTokens, onboardUe } from './support/ue.ts'
import { openWebSocket } from './support/websocket.ts'

let network: Network

beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.close())

describe('the resource owner function (TS 23.222 clause 8.35)', () => {
  it('shows the authorized applications, and nothing without sign-in', async () => {
    await obtainToken(network)
    const browser = new ScriptedBrowser()
    const stranger = await browser.open(`${network.origin}/account`)
    expect(stranger.screen).toBe('account-sign-in')
    const wrong = await browser.submit(stranger, 'password', { ...MIRA, password: 'no' })
    expect(wrong.status).toBe(422)
    const account = await signInToAccount(browser, network)
    expect(account.document.querySelector('[data-authorization="skyframe"]')?.text).toContain(
      'Session with quality of service',
    )
  })

  it('invalidates access and refresh token at once, and requires new consent', async () => {
    const { client, tokens, browser, pending } = await obtainToken(network)
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    expect((await fetch(url, { headers })).status).toBe(200)

    const owner = new ScriptedBrowser()
    const account = await signInToAccount(owner, network)
    const after = await owner.submit(account, `revoke skyframe ${network.issuer}`)
    expect(after.document.querySelector('[data-revoked]')?.text).toContain('Skyframe')
    expect(after.document.querySelector('[data-authorization="skyframe"]')).toBeNull()

    const rejected = await fetch(url, { headers })
    expect(rejected.status).toBe(401)
    expect(rejected.headers.get('www-authenticate')).toContain('invalid_token')
    await expect(
      oauth.refreshTokenGrant(client.configuration, tokens.refresh_token as string),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
    pending.url.searchParams.set('prompt', 'none')
    const silent = await browser.open(pending.url)
    expect(silent.url.searchParams.get('error')).toBe('consent_required')
  })

  it('ends the QoS sessions of the application', async () => {
    const { tokens } = await obtainToken(network)
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const created = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokens.access_token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        notificationDestination: 'https://unused.invalid/',
        websockNotifConfig: { requestWebsocketUri: true },
      }),
    })
    const { websockNotifConfig } = (await created.json()) as {
      websockNotifConfig: { websocketUri: string }
    }
    const channel = await openWebSocket(websockNotifConfig.websocketUri)
    const fetchQosProfile = async () =>
      ((await (await fetch(`${network.userPlaneOrigin}/qos`)).json()) as { name: string }).name
    expect(await fetchQosProfile()).toBe('QOS_L')
    await network.revoke(network.issuer, 'mira', 'skyframe')
    expect(await fetchQosProfile()).toBe('BEST_EFFORT')
    const { message } = await channel.next()
    expect(message).toMatchObject({ eventReports: [{ event: 'SESSION_TERMINATION' }] })
    channel.close()
    expect(network.log.filter({ path: /^\/notifications\// })).toMatchObject([{ status: 101 }])
  })

  it('cannot revoke the authorization of another subscriber', async () => {
    const { tokens } = await obtainToken(network)
    const owner = new ScriptedBrowser()
    const page = await owner.open(`${network.origin}/account`)
    const jonas = { phone_number: '+447700900102', password: 'paper boats' }
    const account = await owner.submit(page, 'password', jonas)
    expect(account.document.querySelector('[data-empty]')).not.toBeNull()
    expect(await network.revoke(network.issuer, 'jonas', 'skyframe')).toBe(false)
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    expect((await fetch(url, { headers })).status).toBe(200)
  })

  it('notifies a CAPIF client over its WebSocket within a second of the click', async () => {
    const ue = await onboardUe(network, 'capif', 'preregistered', '')
    const context = `${ue.server.issuer}/capif-security/v1/trustedInvokers/${ue.clientId}`
    const agreed = await fetch(context, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        securityInfo: [{ aefId: 'aef-meridian', prefSecurityMethods: ['OAUTH'] }],
        notificationDestination: 'https://unused.invalid/',
        websockNotifConfig: { requestWebsocketUri: true },
      }),
    })
    const { websockNotifConfig } = (await agreed.json()) as {
      websockNotifConfig: { websocketUri: string }
    }
    const channel = await openWebSocket(websockNotifConfig.websocketUri)
    const person = await createPerson('password', network)
    const access = createApiAccess(ue, 'Session with quality of service')
    const tokens = await obtainTokens(ue, access, (url) => person.authorize(url))

    const owner = new ScriptedBrowser()
    const account = await signInToAccount(owner, network)
    const startedAtMs = performance.now()
    await owner.submit(account, `revoke skyframe ${ue.server.issuer}`)
    const { atMs, message } = await channel.next()
    expect(message).toMatchObject({
      apiInvokerId: 'skyframe',
      cause: 'AUTHORIZATION_ISSUE',
      accessToken: tokens.accessToken,
    })
    expect(atMs - startedAtMs).toBeLessThan(1000)
    const call = await callApi(ue, tokens, 'GET', `${access.resource}/skyframe/subscriptions`)
    expect(call.status).toBe(401)
    channel.close()
  })
})

describe('revocation of a JWT access token (RFC 7009)', () => {
  it('revokes only this token, for the client that it was issued to', async () => {
    const { client, tokens } = await obtainToken(network)
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const stranger = await fetch(`${network.issuer}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token: tokens.access_token, client_id: 'nobody' }),
    })
    expect(stranger.status).toBe(401)
    expect((await fetch(url, { headers })).status).toBe(200)
    await oauth.tokenRevocation(client.configuration, tokens.access_token)
    expect((await fetch(url, { headers })).status).toBe(401)
    const refreshed = await oauth.refreshTokenGrant(
      client.configuration,
      tokens.refresh_token as string,
    )
    expect(refreshed.access_token).toBeTypeOf('string')
  })

  // Seen to fail when the signature is not verified (a forged token ended the real one), and when a JWT without `jti`
  // is forwarded as it is (400 unsupported_token_type).
  it('H19: a foreign JWT is an invalid token, which is no error, and ends no token (RFC 7009 section 2.2)', async () => {
    const { client, tokens } = await obtainToken(network)
    const { privateKey } = await generateKeyPair('ES256')
    const sign = (claims: JWTPayload) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    const { jti } = decodeJwt(tokens.access_token)
    const foreign = [
      await sign({ iss: 'https://elsewhere.example' }),
      'e30.e30.',
      'a.b.c',
      'e30.b.c.d.e',
    ]
    for (const token of [...foreign, await sign(jti === undefined ? {} : { jti })]) {
      await oauth.tokenRevocation(client.configuration, token)
    }
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    expect((await fetch(url, { headers })).status).toBe(200)
  })

  it('does nothing for another client, or for a client that fails authentication', async () => {
    const ue = await onboardUe(network, 'camara', 'dynamic', '')
    const person = await createPerson('password', network)
    const access = createApiAccess(ue, 'Quality on demand')
    const tokens = await obtainTokens(ue, access, (target) => person.authorize(target))
    const callQosApi = () => callApi(ue, tokens, 'POST', `${access.resource}/retrieve-sessions`, {})
    const revokeToken = async (form: Record<string, string>) => {
      const body = new URLSearchParams({ token: tokens.accessToken, ...form })
      const url = ue.metadata.revocation_endpoint ?? ''
      return (await fetch(url, { method: 'POST', body })).status
    }
    expect(await revokeToken({ client_id: 'skyframe' })).toBe(200)
    const { privateKey } = await generateKeyPair('ES256')
    const forged = await new SignJWT({ iss: ue.clientId, sub: ue.clientId, jti: 'x' })
      .setProtectedHeader({ alg: 'ES256' })
      .setAudience(ue.metadata.revocation_endpoint ?? '')
      .setExpirationTime('1m')
      .sign(privateKey)
    const assertion = {
      client_assertion: forged,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }
    expect(await revokeToken(assertion)).toBe(401)
    expect((await callQosApi()).status).toBe(200)
  })
})
