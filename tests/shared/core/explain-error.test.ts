/**
 * Tests the explanations of error responses: what the broker added to the scope, which client authentication it
 * sent, and which member of the operator profile decides about it.
 *
 * Seen to fail before there were explanations: the messages were "the … answered with status 400" alone, "the server
 * answered with an error", and "the server must offer the challenge method S256".
 */

import { describe, expect, test } from 'vitest'
import { explainError, type RefusedRequest } from '../../../shared/core/explain-error.ts'
import {
  beginAuthorization,
  NorthkeyError,
  receiveAuthorizationResponse,
  redeemCode,
  refreshTokens,
  toProviderError,
} from '../../../shared/core/index.ts'
import { checkMetadata } from '../../../shared/oauth/metadata.ts'
import { type ClosedNetwork, closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  API,
  begin,
  CLIENT_ID,
  ISSUER,
  METADATA,
  redeemable,
  redirectOf,
  request,
  SERVER,
  TOKEN_ENDPOINT,
} from '../support/fixtures.ts'

const PAR = `${ISSUER}/par`
const WITH_PAR = { ...METADATA, pushed_authorization_request_endpoint: PAR }
const WITH_OPENID = { ...SERVER, openid: 'required' as const }
const REQUEST: RefusedRequest = { server: SERVER, metadata: METADATA, scope: 'qos', apis: [API] }

const refused = (error: string, status = 400) => json({ error }, { status })

const push = (network: ClosedNetwork, server = SERVER) =>
  failure(beginAuthorization(request({ server, metadata: WITH_PAR }), network))

describe('H25a: invalid_scope says which scope Northkey has added', () => {
  const OPENID = /openid \(profile member "openid"\)/

  test('at the pushed authorization request endpoint', async () => {
    const { message, error } = await push(
      closedNetwork().on(PAR, refused('invalid_scope')),
      WITH_OPENID,
    )
    expect(error).toBe('invalid_scope')
    expect(message).toMatch(/^the pushed authorization request endpoint answered with status 400/)
    expect(message).toMatch(OPENID)
  })

  test('in the authorization response', async () => {
    const network = closedNetwork()
    const flow = await begin(network, { server: WITH_OPENID })
    const url = redirectOf(flow, { code: null, error: 'invalid_scope' })
    const error = await failure(
      Promise.resolve().then(() => receiveAuthorizationResponse(flow, url, network.now())),
    )
    expect(error.message).toMatch(/^the authorization endpoint answered with an error/)
    expect(error.message).toMatch(OPENID)
  })

  test('at the token endpoint', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, refused('invalid_scope'))
    const flow = await redeemable(network, { server: WITH_OPENID })
    const { message } = await failure(redeemCode(flow, network))
    expect(message).toMatch(/^the token endpoint/)
    expect(message).toMatch(OPENID)
  })

  test.each([
    ['qos offline_access', 'Northkey added offline_access (profile member "offlineAccess")'],
    [
      'openid qos offline_access',
      'Northkey added openid (profile member "openid") and offline_access (profile member "offlineAccess")',
    ],
    ['qos', 'Northkey added no scope to that of "apis"'],
  ])('for the scope "%s"', (scope, explanation) => {
    const error = new NorthkeyError('authorization_server_error', 'x', { error: 'invalid_scope' })
    expect(explainError(error, { ...REQUEST, scope })).toMatchObject({
      code: 'authorization_server_error',
      error: 'invalid_scope',
      message: expect.stringContaining(explanation),
    })
  })

  test('a word that the application itself has requested is not an added one', () => {
    const error = new NorthkeyError('authorization_server_error', 'x', { error: 'invalid_scope' })
    const apis = [{ ...API, scope: 'openid qos' }]
    const { message } = explainError(error, { ...REQUEST, scope: 'openid qos', apis }) as Error
    expect(message).not.toMatch(/added openid/)
  })
})

describe('H25d: a client that needs a secret is found out', () => {
  test('at the pushed authorization request endpoint, before a window opens', async () => {
    const network = closedNetwork().on(PAR, refused('invalid_client', 401))
    const { message, error } = await push(network)
    expect(error).toBe('invalid_client')
    expect(message).toMatch(
      /endpoint answered with status 401\. .*client authentication none.*public client/,
    )
  })

  test('at the token endpoint, also of a refresh', async () => {
    const network = closedNetwork()
      .on(TOKEN_ENDPOINT, refused('unauthorized_client'))
      .on(TOKEN_ENDPOINT, refused('invalid_client', 401))
    const codeError = await failure(redeemCode(await redeemable(network), network))
    const refresh = { server: SERVER, metadata: METADATA, clientId: CLIENT_ID, refreshToken: 'r' }
    const refreshError = await failure(refreshTokens(refresh, network))
    for (const { message } of [codeError, refreshError]) expect(message).toContain('public client')
  })

  test('and the message says whether the metadata list the client authentication', () => {
    const error = new NorthkeyError('authorization_server_error', 'x', { error: 'invalid_client' })
    const explain = (listed: string[]) =>
      explainError(error, {
        ...REQUEST,
        metadata: { ...METADATA, token_endpoint_auth_methods_supported: listed },
      }) as Error
    expect(explain(['client_secret_basic']).message).toContain('do not list')
    expect(explain(['none']).message).not.toContain('do not list')
  })
})

describe('an error response', () => {
  test('of another word has no explanation', () => {
    const error = new NorthkeyError('authorization_server_error', 'x', { error: 'invalid_grant' })
    expect(explainError(error, REQUEST)).toBe(error)
    expect(explainError('text', REQUEST)).toBe('text')
  })

  test('keeps status, description and cause beside its explanation', () => {
    const details = { error: 'invalid_scope', errorDescription: 'd', httpStatus: 400, cause: 'c' }
    const error = new NorthkeyError('authorization_server_error', 'x', details)
    expect(explainError(error, REQUEST)).toMatchObject(details)
  })

  test('H25c: a 403 without a word says from which endpoint, also in the data of the page', async () => {
    const network = closedNetwork().on(PAR, new Response('<h1>No</h1>', { status: 403 }))
    expect(toProviderError(await push(network))).toEqual({
      code: 4300,
      message: 'the pushed authorization request endpoint answered with status 403',
      data: {
        error: 'invalid_response',
        errorDescription: 'the pushed authorization request endpoint answered with status 403',
        httpStatus: 403,
      },
    })
  })
})

test('H25b: metadata without S256 name the member of the profile that can state it', async () => {
  const { code_challenge_methods_supported: _, ...members } = METADATA
  const error = await failure(
    Promise.resolve().then(() => checkMetadata(members, ISSUER, closedNetwork())),
  )
  expect(error.code).toBe('pkce_unsupported')
  expect(error.message).toMatch(
    /"code_challenge_methods_supported".*"metadata" of the operator profile/,
  )
})
