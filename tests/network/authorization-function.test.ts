/** Authorization function against a stock OAuth client: code grant, PKCE, screens, refresh and revocation. */

import { createHash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as oauth from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../demo-site/network/index.ts'
import {
  createAuthorizationRequest,
  createStockClient,
  obtainToken,
  REDIRECT_BASE,
  redeemCode,
  signInAndAllow,
  startTestNetwork,
} from './support/client.ts'
import { ScriptedBrowser } from './support/scripted-browser.ts'

const SCOPE = '3gpp-as-session-with-qos'
let network: Network
let resource: string

beforeAll(async () => {
  network = await startTestNetwork()
  resource = `${network.apisOrigin}/3gpp-as-session-with-qos/v1`
})
afterAll(() => network.close())

describe('authorization server metadata (RFC 8414)', () => {
  it('contains the issuer, S256 as the only challenge method, and the iss parameter of RFC 9207', async () => {
    const answer = await fetch(`${network.issuer}/.well-known/oauth-authorization-server`)
    const metadata = (await answer.json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      issuer: network.issuer,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      response_types_supported: ['code'],
    })
    expect(metadata.token_endpoint_auth_methods_supported).toContain('none')
    expect(metadata.revocation_endpoint).toBeTypeOf('string')
  })
})

describe('the authorization code grant with PKCE (RFC 6749 section 4.1, RFC 7636)', () => {
  it('returns a JWT access token for the requested resource (RFC 9068, RFC 8707)', async () => {
    const { tokens } = await obtainToken(network)
    expect(tokens.token_type).toBe('bearer')
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({
      typ: 'at+jwt',
      alg: 'ES256',
    })
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      iss: network.issuer,
      aud: resource,
      client_id: 'skyframe',
      scope: SCOPE,
    })
    expect(tokens.refresh_token).toBeTypeOf('string')
  })

  it('sends iss in the authorization response (RFC 9207 section 2)', async () => {
    const { page } = await obtainToken(network)
    expect(page.url.href.startsWith(REDIRECT_BASE)).toBe(true)
    expect(page.url.searchParams.get('iss')).toBe(network.issuer)
  })

  it('identifies the subscriber by a pairwise subject', async () => {
    const { tokens } = await obtainToken(network)
    const { sub } = decodeJwt(tokens.access_token)
    expect(sub).toBeTypeOf('string')
    expect(JSON.stringify(decodeJwt(tokens.access_token))).not.toMatch(/mira|7700900101/i)
  })

  it('rejects a request without a code challenge (RFC 7636 section 4.4.1)', async () => {
    const client = await createStockClient(network.issuer)
    const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    url.searchParams.delete('code_challenge')
    url.searchParams.delete('code_challenge_method')
    const page = await new ScriptedBrowser().open(url)
    expect(page.url.searchParams.get('error')).toBe('invalid_request')
  })

  it('rejects the plain challenge method', async () => {
    const client = await createStockClient(network.issuer)
    const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    url.searchParams.set('code_challenge_method', 'plain')
    const page = await new ScriptedBrowser().open(url)
    expect(page.url.searchParams.get('error')).toBe('invalid_request')
  })

  it('rejects a wrong verifier with invalid_grant (RFC 7636 section 4.6)', async () => {
    const client = await createStockClient(network.issuer)
    const pending = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    const page = await signInAndAllow(new ScriptedBrowser(), pending.url)
    const wrong = { ...pending, codeVerifier: oauth.randomPKCECodeVerifier() }
    await expect(redeemCode(client, wrong, page.url)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('redeems a code once, and revokes the grant at the second attempt (RFC 6749 section 4.1.2)', async () => {
    const { client, pending, page, tokens } = await obtainToken(network)
    await expect(redeemCode(client, pending, page.url)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    const answer = await fetch(`${resource}/as1/subscriptions`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(answer.status).toBe(401)
  })

  it('does not redirect for an unknown client or redirect URI (RFC 6749 section 4.1.2.1)', async () => {
    const client = await createStockClient(network.issuer)
    for (const [name, value] of [
      ['client_id', 'unknown'],
      ['redirect_uri', `${REDIRECT_BASE}elsewhere`],
    ] as const) {
      const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
      url.searchParams.set(name, value)
      const page = await new ScriptedBrowser().open(url)
      expect(page.status).toBe(400)
      expect(page.screen).toBe('error')
    }
  })

  it('rejects an unknown resource (RFC 8707 section 2)', async () => {
    const client = await createStockClient(network.issuer)
    const { url } = await createAuthorizationRequest(client, {
      scope: SCOPE,
      resource: 'https://elsewhere.example/api',
    })
    const page = await new ScriptedBrowser().open(url)
    expect(page.url.searchParams.get('error')).toBe('invalid_target')
  })

  it('answers access_denied when the resource owner denies or cancels', async () => {
    const client = await createStockClient(network.issuer)
    const browser = new ScriptedBrowser()
    const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    const cancelled = await browser.submit(await browser.open(url), 'cancel')
    expect(cancelled.url.searchParams.get('error')).toBe('access_denied')

    const jonas = { phone_number: '+447700900102', password: 'paper boats' }
    const consent = await browser.submit(await browser.open(url), 'password', jonas)
    expect(consent.screen).toBe('consent')
    const deny = { name: 'decision', value: 'deny' }
    const denied = await browser.submit(consent, 'consent', {}, deny)
    expect(denied.url.searchParams.get('error')).toBe('access_denied')
    expect(denied.url.searchParams.get('iss')).toBe(network.issuer)
  })

  it('shows an error beside the fields for a wrong password', async () => {
    const client = await createStockClient(network.issuer)
    const browser = new ScriptedBrowser()
    const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    const credentials = { phone_number: '+447700900101', password: 'no' }
    const page = await browser.submit(await browser.open(url), 'password', credentials)
    expect(page.status).toBe(422)
    expect(page.document.querySelector('[role="alert"]')?.text).toContain('password')
    expect(page.text).not.toContain('value="no"')
  })
})

describe('security headers of the front channel', () => {
  it('sets no-store on every answer, including those with the code', async () => {
    const { browser } = await obtainToken(network)
    for (const { headers } of browser.history) {
      expect(headers.get('cache-control')).toContain('no-store')
    }
    const withCode = browser.history.find(({ headers }) =>
      headers.get('location')?.includes('code='),
    )
    expect(withCode?.headers.get('cache-control')).toContain('no-store')
  })

  it('forbids inline scripts and framing of its screens, and allows forms to reach the redirect URI', async () => {
    const client = await createStockClient(network.issuer)
    const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    const page = await new ScriptedBrowser().open(url)
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain(`form-action 'self' ${new URL(REDIRECT_BASE).origin}`)
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toContain('unsafe')
    for (const script of page.document.querySelectorAll('script')) {
      expect(script.getAttribute('src')).toBe('/assets/passkey.js')
      expect(script.text).toBe('')
    }
    expect(page.headers.get('x-frame-options')).toBe('DENY')
  })
})

describe('stored resource-owner authorization (TS 23.222 clause 8.33)', () => {
  it('needs no screen at the second request', async () => {
    const { client, browser } = await obtainToken(network)
    const secondPage = await createAuthorizationRequest(client, {
      scope: SCOPE,
      resource,
      prompt: 'none',
    })
    const page = await browser.open(secondPage.url)
    const tokens = await redeemCode(client, secondPage, page.url)
    expect(tokens.access_token).toBeTypeOf('string')
  })

  it('answers login_required to prompt=none without a session', async () => {
    const client = await createStockClient(network.issuer)
    const { url } = await createAuthorizationRequest(client, {
      scope: SCOPE,
      resource,
      prompt: 'none',
    })
    const page = await new ScriptedBrowser().open(url)
    expect(page.url.searchParams.get('error')).toBe('login_required')
  })
})

describe('refresh and revocation', () => {
  it('rotates refresh tokens, and revokes the grant when a used one is sent again (RFC 9700 section 4.14.2)', async () => {
    const { client, tokens } = await obtainToken(network)
    const first = tokens.refresh_token as string
    const renewed = await oauth.refreshTokenGrant(client.configuration, first)
    expect(renewed.refresh_token).not.toBe(first)
    await expect(oauth.refreshTokenGrant(client.configuration, first)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(
      oauth.refreshTokenGrant(client.configuration, renewed.refresh_token as string),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('invalidates refresh and access tokens at once when the refresh token is revoked (RFC 7009)', async () => {
    const { client, tokens } = await obtainToken(network)
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    expect((await fetch(`${resource}/as1/subscriptions`, { headers })).status).toBe(200)
    await oauth.tokenRevocation(client.configuration, tokens.refresh_token as string)
    expect((await fetch(`${resource}/as1/subscriptions`, { headers })).status).toBe(401)
  })
})

describe('the request log', () => {
  it('contains challenge and verifier as the server received them', async () => {
    network.log.clear()
    await obtainToken(network)
    const [authorization] = network.log.filter({ path: '/auth' })
    const [token] = network.log.filter({ path: '/token', method: 'POST' })
    expect(authorization).toMatchObject({
      server: 'authorization-function',
      status: 303,
      query: { code_challenge_method: 'S256' },
    })
    const { code_verifier } = (token?.body ?? {}) as { code_verifier?: string }
    const challenge = createHash('sha256')
      .update(code_verifier ?? '')
      .digest('base64url')
    expect(authorization?.query.code_challenge).toBe(challenge)
    expect(token?.status).toBe(200)
  })
})

describe('a browser that leaves the expected order', () => {
  it('gets an error screen for a form that is submitted twice, late, or by another browser', async () => {
    const client = await createStockClient(network.issuer)
    const browser = new ScriptedBrowser()
    const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
    const signIn = await browser.open(url)
    const jonas = { phone_number: '+447700900102', password: 'paper boats' }
    const stolen = await new ScriptedBrowser().submit(signIn, 'password', jonas)
    expect([stolen.screen, stolen.status]).toEqual(['error', 400])

    const consent = await browser.submit(signIn, 'password', jonas)
    const decision = { name: 'decision', value: 'allow' }
    const done = await browser.submit(consent, 'consent', {}, decision)
    expect(done.url.searchParams.get('code')).toBeTruthy()
    const twice = await browser.submit(consent, 'consent', {}, decision)
    expect([twice.screen, twice.status]).toEqual(['error', 400])
  })
})
