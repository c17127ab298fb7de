/** Requests, tokens and errors of the profile `camara`. */

import { describe, expect, test } from 'vitest'
import {
  beginAuthorization,
  camaraErrorCode,
  camaraReaction,
  createDpopKey,
  profileOf,
  redeemCode,
  requireNoIdentifier,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  ISSUER,
  JWKS_URI,
  METADATA,
  redeemable,
  request,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'
import { createTestKey, sign } from '../support/id-tokens.ts'

const server: ServerConfig = { issuer: ISSUER, profile: 'camara' }
const resource = 'https://api.example/quality-on-demand/v1'
const PURPOSE = 'dpv:RequestedServiceProvision'

async function scopeOf(
  apis: { resource: string; scope: string; purpose?: string }[],
  offlineAccess = false,
) {
  const { authorizationUrl } = await beginAuthorization(
    request({ server, apis, offlineAccess }),
    closedNetwork(),
  )
  return new URL(authorizationUrl).searchParams.get('scope')
}

describe('the scope of a request (CAMARA security profile, "Purpose")', () => {
  test('has openid, exactly one purpose, and the scopes of the APIs', async () => {
    expect(await scopeOf([{ resource, scope: 'sim-swap:check', purpose: PURPOSE }])).toBe(
      `openid ${PURPOSE} sim-swap:check`,
    )
    expect(await scopeOf([{ resource, scope: `${PURPOSE} openid sim-swap:check` }])).toBe(
      `openid ${PURPOSE} sim-swap:check`,
    )
  })

  test('P14: the same purpose twice counts once; two purposes, none, and a misspelt purpose are rejected', async () => {
    const api = (scope: string, purpose?: string) => ({
      resource,
      scope,
      ...(purpose !== undefined && { purpose }),
    })
    expect(await scopeOf([api('a', PURPOSE), api(`b ${PURPOSE}`, PURPOSE)])).toBe(
      `openid ${PURPOSE} a b`,
    )
    for (const apis of [
      [api('a')],
      [api(`a ${PURPOSE}`, 'dpv:FraudPreventionAndDetection')],
      [api('a', PURPOSE), api('b', 'dpv:FraudPreventionAndDetection')],
      [api(`a dpv:One dpv:Two`)],
      [api('a', 'dpv:')],
      [api('a', 'FraudPreventionAndDetection')],
      [api('a', 'dpv:Fraud Prevention')],
    ]) {
      expect((await failure(scopeOf(apis))).code).toBe('invalid_params')
    }
  })

  test('has offline_access only if requested, and never for single-use tokens', async () => {
    const api = { resource, scope: 'sim-swap:check offline_access', purpose: PURPOSE }
    expect(await scopeOf([api])).not.toContain('offline_access')
    expect(await scopeOf([api], true)).toContain('offline_access')
    const single = { resource, scope: 'number-verification:verify', purpose: PURPOSE }
    expect(await scopeOf([single], true)).not.toContain('offline_access')
  })

  test('recognizes the scopes with single-use tokens', () => {
    const profile = profileOf(server)
    expect(profile.isSingleUse('openid number-verification:device-phone-number:read')).toBe(true)
    expect(profile.isSingleUse('openid quality-on-demand:sessions:create')).toBe(false)
  })

  test('sends no resource parameter, which the profile does not know', async () => {
    const { authorizationUrl } = await beginAuthorization(
      request({ server, apis: [{ resource, scope: 'a', purpose: PURPOSE }] }),
      closedNetwork(),
    )
    expect(new URL(authorizationUrl).searchParams.has('resource')).toBe(false)
  })
})

describe('a bearer token although a proof was sent (CAMARA security profile, "DPoP")', () => {
  async function redeem(dpopPolicy: 'when_offered' | 'required', scope = 'sim-swap:check') {
    const key = await createTestKey()
    const dpop = await createDpopKey()
    const network = closedNetwork()
    const flow = await redeemable(network, {
      server: { ...server, dpop: dpopPolicy },
      metadata: {
        ...METADATA,
        dpop_signing_alg_values_supported: ['ES256'],
        id_token_signing_alg_values_supported: ['ES256'],
      },
      apis: [{ resource, scope, purpose: PURPOSE }],
      dpop,
    })
    network
      .on(
        TOKEN_ENDPOINT,
        json({ ...TOKEN_RESPONSE, scope, id_token: await sign(key, { nonce: flow.nonce }) }),
      )
      .on(JWKS_URI, json({ keys: [key.jwk] }))
    return redeemCode(flow, network, { dpop })
  }

  test('is accepted by default, and rejected if the operator requires DPoP', async () => {
    const tokens = await redeem('when_offered')
    expect([tokens.tokenType, tokens.subject]).toEqual(['Bearer', 'subscriber-1'])
    expect((await failure(redeem('required'))).code).toBe('token_type_mismatch')
  })

  test('a token for number verification is marked as single-use', async () => {
    expect((await redeem('when_offered', 'number-verification:verify')).singleUse).toBe(true)
    expect((await redeem('when_offered')).singleUse).toBe(false)
  })
})

describe('calls with a three-legged token (CAMARA API design guide)', () => {
  test.each([
    [
      '{"device":{"phoneNumber":"+34666666666"},"duration":60}',
      'quality-on-demand:sessions:create',
    ],
    ['{"phoneNumber":"+34666666666"}', 'sim-swap:check'],
    ['\ufeff{"phoneNumber":"+34666666666"}', 'sim-swap:check'],
    [`{"phoneNumber":"+34666666666","x":${'['.repeat(99)}${']'.repeat(99)}}`, 'sim-swap:check'],
  ])('a body %s is rejected before the API answers UNNECESSARY_IDENTIFIER', async (body, scope) => {
    const error = await failure(() => requireNoIdentifier(body, scope))
    expect(error.code).toBe('invalid_params')
    expect(error.message).not.toContain('666')
  })

  test.each([
    ['{"phoneNumber":"+34666666666"}', 'openid number-verification:verify'],
    ['{"duration":60}', 'quality-on-demand:sessions:create'],
    ['not JSON', 'a'],
    [undefined, 'a'],
    ['[{"device":1}]', 'a'],
  ])('a body %j is accepted', (body, scope) => {
    requireNoIdentifier(body, scope)
  })

  test.each([
    [401, 'UNAUTHENTICATED', 'renew', 'invalid_token'],
    [403, 'PERMISSION_DENIED', 'insufficient_scope', 'insufficient_scope'],
    [
      403,
      'NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK',
      'not_on_mobile_network',
      'not_on_mobile_network',
    ],
    [403, 'INVALID_TOKEN_CONTEXT', 'pass', undefined],
    [429, 'QUOTA_EXCEEDED', 'wait', 'rate_limited'],
    [429, 'TOO_MANY_REQUESTS', 'wait', 'rate_limited'],
    [400, 'INVALID_ARGUMENT', 'pass', undefined],
    [400, 'OUT_OF_RANGE', 'pass', undefined],
    [400, 'QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE', 'pass', undefined],
    [404, 'IDENTIFIER_NOT_FOUND', 'pass', undefined],
    [409, 'CONFLICT', 'pass', undefined],
    [422, 'MISSING_IDENTIFIER', 'pass', undefined],
    [422, 'UNNECESSARY_IDENTIFIER', 'pass', undefined],
    [422, 'UNSUPPORTED_IDENTIFIER', 'pass', undefined],
    [422, 'SERVICE_NOT_APPLICABLE', 'pass', undefined],
  ])('the error %i %s leads to the reaction "%s"', (status, code, reaction, own) => {
    expect(camaraReaction(status, code)).toBe(reaction)
    expect(camaraErrorCode(status, JSON.stringify({ status, code, message: 'x' }))).toBe(own)
  })

  test('an error without a body of the design guide is classified by its status', () => {
    expect(camaraErrorCode(401, '<html>')).toBe('invalid_token')
    expect(camaraErrorCode(403, '')).toBe('insufficient_scope')
    expect(camaraErrorCode(500, '')).toBeUndefined()
  })
})
