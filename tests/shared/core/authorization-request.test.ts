/**
 * Authorization requests: parameters, scopes, and pushed requests.
 *
 * Seen to fail when a login hint has to be ASCII, when the scopes of several APIs have the limit of one, and when a
 * `request_uri` has at most 2,000 characters (H14).
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BeginAuthorization,
  beginAuthorization,
  codeChallengeOf,
  createDpopKey,
  dpopThumbprint,
  isScope,
} from '../../../shared/core/index.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  API,
  CLIENT_ID,
  ISSUER,
  METADATA,
  REDIRECT_URI,
  RESOURCE,
  request,
  SERVER,
} from '../support/fixtures.ts'

async function sentParameters(overrides: Partial<BeginAuthorization> = {}) {
  const { flow, authorizationUrl } = await beginAuthorization(request(overrides), closedNetwork())
  return {
    flow,
    url: new URL(authorizationUrl),
    parameters: new URL(authorizationUrl).searchParams,
  }
}

describe('the authorization request (RFC 6749 section 4.1.1)', () => {
  test('has S256, the challenge of the verifier, and every parameter once (RFC 7636 section 4.3)', async () => {
    const { flow, parameters } = await sentParameters()
    expect(Object.fromEntries(parameters)).toEqual({
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      scope: 'qos',
      state: flow.state,
      code_challenge: await codeChallengeOf(flow.codeVerifier),
      code_challenge_method: 'S256',
      resource: RESOURCE,
    })
    const names = [...parameters.keys()]
    expect(new Set(names).size).toBe(names.length)
  })

  test('P06: never has the verifier in its URL (RFC 7636 section 4.5)', async () => {
    const { flow, url } = await sentParameters()
    expect(url.href).not.toContain(flow.codeVerifier)
  })

  test('P07: a caller cannot add or replace a parameter that protects the flow', async () => {
    const smuggled = {
      redirect_uri: 'https://evil.example/',
      response_type: 'token',
      response_mode: 'fragment',
      code_challenge: 'x',
      code_challenge_method: 'plain',
      state: 'chosen',
      nonce: 'chosen',
      request: 'x',
      request_uri: 'https://evil.example/',
      additionalParameters: { response_mode: 'form_post' },
    }
    const { parameters, flow } = await sentParameters(smuggled as Partial<BeginAuthorization>)
    expect(parameters.get('redirect_uri')).toBe(REDIRECT_URI)
    expect(parameters.get('response_type')).toBe('code')
    expect(parameters.get('code_challenge_method')).toBe('S256')
    expect(parameters.get('state')).toBe(flow.state)
    expect(flow.state).not.toBe('chosen')
    expect(parameters.has('request')).toBe(false)
    expect(parameters.has('request_uri')).toBe(false)
  })

  test('P07: a query of the endpoint cannot shadow a parameter (RFC 6749 section 3.1)', async () => {
    const metadata = {
      ...METADATA,
      authorization_endpoint: `${ISSUER}/authorize?tenant=1&state=fixed&redirect_uri=https%3A%2F%2Fevil.example`,
    }
    const { parameters, flow } = await sentParameters({ metadata })
    expect(parameters.get('tenant')).toBe('1')
    expect(parameters.getAll('state')).toEqual([flow.state])
    expect(parameters.getAll('redirect_uri')).toEqual([REDIRECT_URI])
  })

  test('P08: no response mode can be requested, so that a code arrives in the query only', async () => {
    for (const mode of ['fragment', 'form_post', 'web_message', 'query.jwt']) {
      const { parameters } = await sentParameters({
        response_mode: mode,
        responseMode: mode,
      } as Partial<BeginAuthorization>)
      expect(parameters.has('response_mode')).toBe(false)
    }
  })

  test('P10: the state is opaque, has 256 bits, and never repeats (RFC 9700 section 4.7)', async () => {
    const states = new Set<string>()
    for (let round = 0; round < 200; round++) {
      const { flow } = await sentParameters({ loginHint: 'tel:+34666666666' })
      expect(flow.state).toMatch(/^[A-Za-z0-9_-]{43}$/)
      states.add(flow.state)
    }
    expect(states.size).toBe(200)
  })

  test('the nonce comes with openid and is not the state (OpenID Connect Core section 3.1.2.1)', async () => {
    const without = await sentParameters()
    expect(without.parameters.has('nonce')).toBe(false)
    const { flow, parameters } = await sentParameters({
      apis: [{ resource: RESOURCE, scope: 'openid qos' }],
    })
    expect(parameters.get('nonce')).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(flow.nonce).toBe(parameters.get('nonce'))
    expect(flow.nonce).not.toBe(flow.state)
  })

  test('several APIs give one scope, and one resource for each API (RFC 8707 section 2)', async () => {
    const locationApi = {
      resource: 'https://api.example/3gpp-monitoring-event/v1',
      scope: 'location qos',
    }
    const server = { ...SERVER, resourceIndicators: 'always' as const }
    const { parameters } = await sentParameters({ server, apis: [API, locationApi] })
    expect(parameters.get('scope')).toBe('qos location')
    expect(parameters.getAll('resource')).toEqual([API.resource, locationApi.resource])
  })

  test('optional parameters are sent under their registered names', async () => {
    const { parameters } = await sentParameters({
      prompt: 'none',
      loginHint: 'tel:+34666666666',
      acrValues: 'phrh',
      maxAge: 300,
    })
    expect(parameters.get('prompt')).toBe('none')
    expect(parameters.get('login_hint')).toBe('tel:+34666666666')
    expect(parameters.get('acr_values')).toBe('phrh')
    expect(parameters.get('max_age')).toBe('300')
  })

  test('H14: a login hint in any script is sent as UTF-8 (OpenID Connect Core section 3.1.2.1)', async () => {
    const { parameters, url } = await sentParameters({ loginHint: 'zoë 山田' })
    expect(parameters.get('login_hint')).toBe('zoë 山田')
    expect(url.search).toContain('login_hint=zo%C3%AB+%E5%B1%B1%E7%94%B0')
  })

  test('H14: the scopes of several APIs may be longer together than each of them', async () => {
    const apis = Array.from({ length: 16 }, (_, index) => ({
      resource: `${RESOURCE}/${index}`,
      scope: `s${index}-${'x'.repeat(1900)}`,
    }))
    const { flow } = await sentParameters({ apis })
    expect(flow.scope).toBe(apis.map(({ scope }) => scope).join(' '))
    const capif = apis.map((api, index) => ({ ...api, scope: `3gpp#aef${index}:${api.scope}` }))
    const server = { ...SERVER, profile: 'capif' as const }
    expect((await sentParameters({ server, apis: capif })).flow.scope).toHaveLength(
      capif.map(({ scope }) => scope.replace('3gpp#', '')).join(';').length + '3gpp#'.length,
    )
  })

  test.each([
    ['prompt', { prompt: 'nonsense' }],
    ['loginHint', { loginHint: 'a\r\nb' }],
    ['acrValues', { acrValues: '\u202e' }],
    ['maxAge', { maxAge: -1 }],
    ['redirectUri', { redirectUri: 'https://broker.example/x?y=1' }],
    ['redirectUri', { redirectUri: 'https://broker.example/x#y' }],
    ['redirectUri', { redirectUri: '/relative' }],
    ['clientId', { clientId: '' }],
    ['resource', { apis: [{ resource: 'https://api.example/#f', scope: 'qos' }] }],
    ['resource', { apis: [{ resource: 'urn:x', scope: 'qos' }] }],
  ])('an invalid "%s" is named in the error, without its value', async (name, overrides) => {
    const error = await failure(
      beginAuthorization(request(overrides as Partial<BeginAuthorization>), closedNetwork()),
    )
    expect(error.code).toBe('invalid_params')
    expect(error.message).toContain(`"${name}"`)
    for (const value of Object.values(overrides)) {
      if (typeof value === 'string' && value.length > 3) expect(error.message).not.toContain(value)
    }
  })

  test('metadata of another issuer is rejected', async () => {
    const metadata = { ...METADATA, issuer: 'https://other.example' }
    const error = await failure(beginAuthorization(request({ metadata }), closedNetwork()))
    expect(error.code).toBe('issuer_mismatch')
  })

  test('D17: the thumbprint of the key is sent if the server offers DPoP (RFC 9449 section 10)', async () => {
    const dpop = await createDpopKey()
    const metadata = { ...METADATA, dpop_signing_alg_values_supported: ['ES256'] }
    const { flow, parameters } = await sentParameters({ metadata, dpop })
    expect(parameters.get('dpop_jkt')).toBe(await dpopThumbprint(dpop))
    expect(flow.dpopJkt).toBe(parameters.get('dpop_jkt'))
    const plain = await sentParameters({ dpop })
    expect(plain.parameters.has('dpop_jkt')).toBe(false)
  })

  test('a flow without a key is rejected if the operator requires DPoP (RFC 9449 section 5)', async () => {
    const server = { ...SERVER, dpop: 'required' as const }
    expect((await failure(beginAuthorization(request({ server }), closedNetwork()))).code).toBe(
      'key_mismatch',
    )
  })
})

describe('scopes (RFC 6749 section 3.3)', () => {
  test.each([
    ['a control character', 'qos\u0000'],
    ['a line break', 'qos\r\nX: y'],
    ['a quote', 'qos "x"'],
    ['a backslash', 'a\\b'],
    ['two spaces', 'a  b'],
    ['a space at the end', 'a '],
    ['no word', ''],
    ['a letter outside of ASCII', 'qös'],
    ['10 kB', 'x'.repeat(10_000)],
  ])('P15: %s is rejected before anything is sent', async (_what, scope) => {
    const error = await failure(
      beginAuthorization(request({ apis: [{ resource: RESOURCE, scope }] }), closedNetwork()),
    )
    expect(error.code).toBe('invalid_params')
    expect(error.message).toContain('"scope"')
  })

  test('P15: a string is a scope if and only if each character is allowed and words are separated by one space', () => {
    const word = /^[\x21\x23-\x5b\x5d-\x7e]+$/
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(isScope(text)).toBe(text.split(' ').every((part) => word.test(part)))
      }),
    )
  })
})

describe('pushed authorization requests (RFC 9126)', () => {
  const PAR = `${ISSUER}/par`
  const metadata = { ...METADATA, pushed_authorization_request_endpoint: PAR }
  const answer = { request_uri: 'urn:ietf:params:oauth:request_uri:1', expires_in: 60 }

  test('leave only client_id and request_uri in the URL (RFC 9126 section 4)', async () => {
    const network = closedNetwork().on(PAR, json(answer, { status: 201 }))
    const { flow, authorizationUrl } = await beginAuthorization(request({ metadata }), network)
    network.done()
    expect(Object.fromEntries(new URL(authorizationUrl).searchParams)).toEqual({
      client_id: CLIENT_ID,
      request_uri: answer.request_uri,
    })
    const form = network.sent[0]?.form
    expect(form?.get('state')).toBe(flow.state)
    expect(form?.get('code_challenge_method')).toBe('S256')
    expect(form?.has('request_uri')).toBe(false)
    expect(form?.has('code_verifier')).toBe(false)
  })

  test('H14: a request_uri of any length is opened', async () => {
    const request_uri = `urn:${'x'.repeat(5000)}`
    const network = closedNetwork().on(PAR, json({ ...answer, request_uri }, { status: 201 }))
    const { authorizationUrl } = await beginAuthorization(request({ metadata }), network)
    expect(new URL(authorizationUrl).searchParams.get('request_uri')).toBe(request_uri)
  })

  test('P12: each flow pushes a new request (RFC 9126 section 4)', async () => {
    const network = closedNetwork()
      .on(PAR, json(answer, { status: 201 }))
      .on(PAR, json({ ...answer, request_uri: 'urn:2' }, { status: 201 }))
    const first = await beginAuthorization(request({ metadata }), network)
    const second = await beginAuthorization(request({ metadata }), network)
    expect(first.authorizationUrl).not.toBe(second.authorizationUrl)
    const challenges = network.sent.map(({ form }) => form.get('code_challenge'))
    expect(new Set(challenges).size).toBe(2)
  })

  test.each([
    [200, 'invalid_response'],
    [400, 'authorization_server_error'],
    [401, 'authorization_server_error'],
    [413, 'authorization_server_error'],
    [429, 'rate_limited'],
    [500, 'network_error'],
    [503, 'network_error'],
  ])(
    'P13: a response with status %i gives no authorization URL (RFC 9126 section 2.3)',
    async (status, code) => {
      const body = status === 200 ? answer : { error: 'invalid_request' }
      const network = closedNetwork().on(PAR, json(body, { status }))
      expect((await failure(beginAuthorization(request({ metadata }), network))).code).toBe(code)
    },
  )

  test.each([
    ['no request_uri', { expires_in: 60 }],
    ['no expires_in', { request_uri: 'urn:1' }],
    ['a request_uri with a line break', { ...answer, request_uri: 'urn:\r\n1' }],
  ])('P13: a 201 with %s is rejected', async (_what, body) => {
    const network = closedNetwork().on(PAR, json(body, { status: 201 }))
    const error = await failure(beginAuthorization(request({ metadata }), network))
    expect(error.code).toBe('invalid_response')
  })

  test('a push that the operator requires and the server lacks is an error; a push that the operator forbids is not sent', async () => {
    const required = { ...SERVER, pushedAuthorizationRequests: 'required' as const }
    const missing = await failure(
      beginAuthorization(request({ server: required }), closedNetwork()),
    )
    expect(missing.code).toBe('unsupported_by_server')
    const never = { ...SERVER, pushedAuthorizationRequests: 'never' as const }
    const { authorizationUrl } = await beginAuthorization(
      request({ server: never, metadata }),
      closedNetwork(),
    )
    expect(new URL(authorizationUrl).searchParams.get('code_challenge_method')).toBe('S256')
  })
})
