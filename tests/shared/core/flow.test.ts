/** A complete flow, with refresh and revocation. */

import { describe, expect, test } from 'vitest'
import {
  authorizationResponseState,
  codeChallengeOf,
  receiveAuthorizationResponse,
  redeemCode,
  refreshTokens,
  revokeToken,
  transition,
} from '../../../shared/core/index.ts'
import { closedNetwork, json, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  API,
  begin,
  CLIENT_ID,
  ISSUER,
  METADATA,
  RESOURCE,
  redeemable,
  redirectOf,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

describe('a whole flow (RFC 6749 section 4.1, RFC 7636 section 1.1)', () => {
  test('ends with tokens after one request with code, verifier, client and redirect URI', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const flow = await begin(network)
    const ready = receiveAuthorizationResponse(flow, redirectOf(flow), network.now())
    const tokens = await redeemCode(ready, network)
    network.done()
    expect(Object.fromEntries(network.sent[0]?.form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: 'the-code',
      redirect_uri: flow.redirectUri,
      client_id: CLIENT_ID,
      code_verifier: flow.codeVerifier,
      resource: RESOURCE,
    })
    expect(tokens).toEqual({
      accessToken: 'opaque-access-token',
      tokenType: 'Bearer',
      expiresAtMs: START + 600_000,
      scope: 'qos',
      resource: RESOURCE,
      singleUse: false,
    })
  })

  test('can be stored as JSON at every point', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const flow = JSON.parse(JSON.stringify(await begin(network))) as Awaited<
      ReturnType<typeof begin>
    >
    const url = redirectOf(flow)
    expect(authorizationResponseState(url)).toBe(flow.state)
    const ready = receiveAuthorizationResponse(flow, url, network.now())
    const restored = JSON.parse(JSON.stringify(ready)) as typeof ready
    expect((await redeemCode(restored, network)).accessToken).toBe(TOKEN_RESPONSE.access_token)
  })

  test('keeps neither code nor verifier after the code is sent', async () => {
    const network = closedNetwork()
    const ready = await redeemable(network)
    const written = JSON.stringify(transition(ready, { type: 'codeSent', now: START }))
    expect(written).not.toContain(ready.codeVerifier)
    expect(written).not.toContain('the-code')
    expect(written).not.toContain(ready.state)
  })

  test('sends no code after the deadline, and none for a flow without a code', async () => {
    const network = closedNetwork()
    const ready = await redeemable(network)
    const flow = await begin(network)
    const before = await failure(redeemCode(flow as never, network))
    expect(before.message).toBe('"codeSent" has no place in "awaitingAuthorizationResponse"')
    const sent = transition(ready, { type: 'codeSent', now: network.now() })
    const after = await failure(redeemCode(sent as never, network))
    expect(after.message).toBe('"codeSent" has no place in "awaitingTokenResponse"')
    network.advance(ready.deadlineMs - network.now() + 1)
    expect((await failure(redeemCode(ready, network))).code).toBe('flow_expired')
    expect(network.sent).toEqual([])
  })

  test('has a challenge that is the hash of its verifier', async () => {
    const flow = await begin(closedNetwork())
    expect(await codeChallengeOf(flow.codeVerifier)).toMatch(/^[\w-]{43}$/)
  })
})

describe('refresh and revocation after a flow', () => {
  const held = { server: SERVER, metadata: METADATA, clientId: CLIENT_ID }

  test('a refresh replaces the refresh token (RFC 6749 section 6)', async () => {
    const network = closedNetwork().on(
      TOKEN_ENDPOINT,
      json({ ...TOKEN_RESPONSE, refresh_token: 'second' }),
    )
    const tokens = await refreshTokens(
      { ...held, refreshToken: 'first', resource: RESOURCE, scope: API.scope },
      network,
    )
    expect(tokens.refreshToken).toBe('second')
    expect(Object.fromEntries(network.sent[0]?.form ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'first',
      client_id: CLIENT_ID,
      resource: RESOURCE,
      scope: 'qos',
    })
  })

  test('a refresh without a new refresh token keeps the old one (RFC 6749 section 6)', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const tokens = await refreshTokens({ ...held, refreshToken: 'first' }, network)
    expect(tokens.refreshToken).toBe('first')
  })

  test('a revocation posts the token and its kind (RFC 7009 section 2.1)', async () => {
    const network = closedNetwork().on(`${ISSUER}/revoke`, new Response())
    await revokeToken({ ...held, token: 'gone', tokenTypeHint: 'refresh_token' }, network)
    expect(Object.fromEntries(network.sent[0]?.form ?? [])).toEqual({
      token: 'gone',
      token_type_hint: 'refresh_token',
      client_id: CLIENT_ID,
    })
  })
})
