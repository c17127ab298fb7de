/**
 * Discovery and checks of authorization server metadata.
 *
 * Seen to fail when an answer that is no document ends the search, when the error says what the last address answered
 * alone, when the overrides stand in for a document of another issuer, and when such a document is used (H13).
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AwaitingAuthorizationResponse,
  discover,
  foreignEndpoints,
  NorthkeyError,
  receiveAuthorizationResponse,
  redeemCode,
  refreshTokens,
  registerClient,
  revokeToken,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import { checkMetadata } from '../../../shared/oauth/metadata.ts'
import { type ClosedNetwork, closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  begin,
  ISSUER,
  METADATA,
  redirectOf,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

const OAUTH2 = '/.well-known/oauth-authorization-server'
const OIDC = '/.well-known/openid-configuration'
const notFound = () => new Response('', { status: 404 })

async function tokenError(body: unknown, effects = closedNetwork()) {
  return failure(
    discover(SERVER, effects.on(ISSUER + OAUTH2, json(body)).on(ISSUER + OIDC, notFound())),
  )
}

describe('metadata (RFC 8414)', () => {
  test('is a JSON snapshot of the members that the flow uses', async () => {
    const network = closedNetwork().on(
      ISSUER + OAUTH2,
      json({ ...METADATA, service_documentation: 'https://x', unknown: { deep: 1 } }),
    )
    const metadata = await discover(SERVER, network)
    expect(metadata).toEqual(METADATA)
    expect(JSON.parse(JSON.stringify(metadata))).toEqual(metadata)
  })

  test.each([
    'https://evil.example',
    `${ISSUER}/`,
    'https://AS.example',
    'https://as.example:443',
    'HTTPS://as.example',
    undefined,
    7,
  ])(
    'M-01: the issuer %j is rejected, since it is not the requested issuer (RFC 8414 section 3.3)',
    async (issuer) => {
      expect((await tokenError({ ...METADATA, issuer })).code).toBe('issuer_mismatch')
    },
  )

  test.each([
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'revocation_endpoint',
    'registration_endpoint',
    'pushed_authorization_request_endpoint',
  ])('M-02: a "%s" without TLS is rejected', async (name) => {
    for (const url of [
      'http://as.example/x',
      'http://localhost/x',
      'javascript:alert(1)',
      'data:,',
    ]) {
      expect((await tokenError({ ...METADATA, [name]: url })).code).toBe('insecure_url')
    }
  })

  test('M-02: endpoints of another origin are allowed and can be listed', async () => {
    const metadata = { ...METADATA, token_endpoint: 'https://token.example/token' }
    const network = closedNetwork().on(ISSUER + OAUTH2, json(metadata))
    expect(foreignEndpoints(await discover(SERVER, network))).toEqual(['token_endpoint'])
    expect(foreignEndpoints(METADATA)).toEqual([])
  })

  test('M-03: the well-known part of a path issuer comes before its path in RFC 8414 and after it in OpenID', async () => {
    const issuer = `${ISSUER}/tenant/1`
    const network = closedNetwork()
      .on(`${ISSUER}${OAUTH2}/tenant/1`, notFound())
      .on(`${issuer}${OIDC}`, json({ ...METADATA, issuer }))
    expect((await discover({ ...SERVER, issuer }, network)).issuer).toBe(issuer)
    network.done()
    expect(network.sent.map(({ url }) => new URL(url).pathname)).not.toContain(OAUTH2)
  })

  test.each([400, 401, 403, 404, 405, 410])(
    'M-03: if the first document is answered with %i, the other document is requested',
    async (status) => {
      const network = closedNetwork()
        .on(ISSUER + OAUTH2, new Response('', { status }))
        .on(ISSUER + OIDC, json(METADATA))
      expect(await discover(SERVER, network)).toEqual(METADATA)
    },
  )

  test('M-03: the profile camara requests the OpenID document first', async () => {
    const network = closedNetwork().on(ISSUER + OIDC, json(METADATA))
    await discover({ ...SERVER, profile: 'camara' }, network)
    network.done()
  })

  test.each([301, 302, 307, 308])('M-04: a redirect %i is not followed', async (status) => {
    const redirect = () =>
      new Response(null, { status, headers: { location: 'https://evil.example/' } })
    const network = closedNetwork()
      .on(ISSUER + OAUTH2, redirect)
      .on(ISSUER + OIDC, redirect)
    expect((await failure(discover(SERVER, network))).code).toBe('invalid_response')
    expect(network.sent.map(({ init }) => init.redirect)).toEqual(['manual', 'manual'])
  })

  test('M-05: a flow uses the snapshot that it began with (RFC 9700 section 4.4)', async () => {
    const published = { ...METADATA }
    const network = closedNetwork().on(ISSUER + OAUTH2, () => json(published))
    const metadata = await discover(SERVER, network)
    const flow = JSON.parse(
      JSON.stringify(await begin(network, { metadata })),
    ) as AwaitingAuthorizationResponse
    Object.assign(published, { token_endpoint: 'https://evil.example/token' })
    Object.assign(metadata, { token_endpoint: 'https://evil.example/token' })
    network.on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const ready = receiveAuthorizationResponse(flow, redirectOf(flow), network.now())
    await redeemCode(ready, network)
    network.done()
  })

  test.each([
    ['authorization_endpoint', undefined],
    ['authorization_endpoint', 'relative'],
    ['authorization_endpoint', 'https://as.example/#fragment'],
    ['token_endpoint', 7],
    ['token_endpoint', ['https://as.example/token']],
    ['code_challenge_methods_supported', 'S256'],
    ['code_challenge_methods_supported', [256]],
    ['scopes_supported', 'openid'],
    ['response_types_supported', ['token']],
    ['authorization_response_iss_parameter_supported', 'true'],
    ['require_pushed_authorization_requests', 1],
    ['id_token_signing_alg_values_supported', { 0: 'RS256' }],
  ])('M-07: "%s" with the value %j is rejected by name', async (name, value) => {
    const error = await tokenError({ ...METADATA, [name]: value })
    expect(error.code).toBe('invalid_metadata')
    expect(error.message).toContain(`"${name}"`)
  })

  test('M-07: for any published document the result is checked metadata or a NorthkeyError', () => {
    const member = fc.constantFrom(
      ...Object.keys(METADATA),
      'jwks_uri',
      'dpop_signing_alg_values_supported',
      '__proto__',
      'issuer',
    )
    const value = fc.oneof(
      fc.jsonValue(),
      fc.webUrl(),
      fc.constant(['S256']),
      fc.constant(`${ISSUER}/x`),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(member, value)), (changes) => {
        try {
          const members = { ...METADATA, ...Object.fromEntries(changes) }
          const metadata = checkMetadata(members, ISSUER, {})
          expect(metadata.issuer).toBe(ISSUER)
          expect(metadata.code_challenge_methods_supported).toContain('S256')
          expect(new URL(metadata.authorization_endpoint).protocol).toBe('https:')
        } catch (error) {
          expect(error).toBeInstanceOf(NorthkeyError)
        }
      }),
    )
  })

  test('M-07: a document of 1 MB is rejected', async () => {
    const network = closedNetwork()
      .on(ISSUER + OAUTH2, json({ ...METADATA, padding: 'x'.repeat(1_000_000) }))
      .on(ISSUER + OIDC, notFound())
    expect((await failure(discover(SERVER, network))).code).toBe('invalid_response')
  })

  test('M-06: metadata is requested for each flow, without an HTTP cache', async () => {
    const moved = { ...METADATA, token_endpoint: `${ISSUER}/moved` }
    const network = closedNetwork()
      .on(ISSUER + OAUTH2, json(METADATA))
      .on(ISSUER + OAUTH2, json(moved))
    expect((await discover(SERVER, network)).token_endpoint).toBe(TOKEN_ENDPOINT)
    expect((await discover(SERVER, network)).token_endpoint).toBe(moved.token_endpoint)
    expect(network.sent.map(({ init }) => init.cache)).toEqual(['no-store', 'no-store'])
  })

  test('M-06: no token, client or refresh token goes to a server with another issuer', async () => {
    const network = closedNetwork()
    const moved = { server: SERVER, metadata: { ...METADATA, issuer: 'https://new.example' } }
    const attempts = [
      () => begin(network, moved),
      () => refreshTokens({ ...moved, clientId: 'c', refreshToken: 'r' }, network),
      () =>
        revokeToken(
          { ...moved, clientId: 'c', token: 't', tokenTypeHint: 'access_token' },
          network,
        ),
      () => registerClient({ ...moved, clientName: 'c', redirectUris: [] }, network),
    ]
    for (const attempt of attempts) {
      expect((await failure(attempt())).code).toBe('issuer_mismatch')
    }
    expect(network.sent).toHaveLength(0)
  })

  test('M-08: an unreachable server is a network error, and a server error keeps its code', async () => {
    const unreachable = closedNetwork().on(ISSUER + OAUTH2, () => {
      throw new TypeError('network')
    })
    expect((await failure(discover(SERVER, unreachable))).code).toBe('network_error')
    const failing = closedNetwork()
      .on(ISSUER + OAUTH2, new Response('', { status: 503, headers: { 'retry-after': '9' } }))
      .on(ISSUER + OIDC, notFound())
    const error = await failure(discover(SERVER, failing))
    expect([error.code, error.httpStatus, error.retryAfterSeconds]).toEqual([
      'network_error',
      503,
      9,
    ])
  })

  test('N07: the page of a captive portal is not accepted as metadata', async () => {
    const network = closedNetwork()
      .on(ISSUER + OAUTH2, page)
      .on(ISSUER + OIDC, page)
    expect((await failure(discover(SERVER, network))).code).toBe('invalid_response')
  })
})

const page = () => new Response('<html>', { headers: { 'content-type': 'text/html' } })
const redirect = () =>
  new Response(null, { status: 302, headers: { location: 'https://as.example/sign-in' } })
const EVIL = { ...METADATA, issuer: 'https://evil.example', revocation_endpoint: `${ISSUER}/evil` }

/** Answers of an address that are no document of the issuer, and the code of a search that finds nothing else. */
const PASSED_OVER: [what: string, answer: () => Response, code: string, said: string][] = [
  ['a web page', page, 'invalid_response', 'must be of type application/json'],
  ['an empty object', () => json({}), 'issuer_mismatch', 'must be the issuer asked'],
  ['null', () => json(null), 'invalid_response', 'must be one JSON object'],
  ['a list', () => json([METADATA]), 'invalid_response', 'must be one JSON object'],
  ['a string', () => json('"ok"'), 'invalid_response', 'must be one JSON object'],
  ['no octet', () => json(''), 'invalid_response', 'must be one JSON object'],
  ['a web page labelled as JSON', () => json('<html>'), 'invalid_response', 'one JSON object'],
  ['status 204', () => new Response(null, { status: 204 }), 'invalid_response', 'status 204'],
  ['a redirect', redirect, 'invalid_response', 'answered with a redirect'],
  ['more than 256 kB', () => json('x'.repeat(300_000)), 'invalid_response', 'more than 256 kB'],
  ['status 404', notFound, 'invalid_metadata', 'status 404'],
  ['status 408', () => new Response('', { status: 408 }), 'network_error', 'status 408'],
  ['status 500', () => new Response('', { status: 500 }), 'network_error', 'status 500'],
  [
    'the document of another issuer',
    () => json(EVIL),
    'issuer_mismatch',
    'it is https://evil.example',
  ],
]

describe('the search at the well-known addresses', () => {
  test.each(PASSED_OVER)(
    'H13: after %s the next address is asked, and its document alone is used',
    async (_what, answer) => {
      const network = closedNetwork()
        .on(ISSUER + OAUTH2, answer)
        .on(ISSUER + OIDC, json(METADATA))
      expect(await discover(SERVER, network)).toEqual(METADATA)
      network.done()
    },
  )

  test.each(PASSED_OVER)(
    'H13: %s at each address is an error that names each address and its answer',
    async (_what, answer, code, said) => {
      const network = closedNetwork()
        .on(ISSUER + OAUTH2, answer)
        .on(ISSUER + OIDC, answer)
      const error = await failure(discover(SERVER, network))
      expect(error.code).toBe(code)
      const [first = '', second = ''] = error.message.split('; ')
      expect(first).toContain(`${ISSUER}${OAUTH2} `)
      expect(second).toContain(`${ISSUER}${OIDC} `)
      for (const part of [first, second]) expect(part).toContain(said)
    },
  )

  test.each([
    ['issuer_mismatch', () => json(EVIL), page],
    ['issuer_mismatch', notFound, () => json(EVIL)],
    ['network_error', () => new Response('', { status: 502 }), page],
    ['invalid_response', notFound, page],
  ])('H13: of different answers the gravest gives the code: %s', async (code, first, second) => {
    const network = closedNetwork()
      .on(ISSUER + OAUTH2, first)
      .on(ISSUER + OIDC, second)
    expect((await failure(discover(SERVER, network))).code).toBe(code)
  })

  test.each([
    ['rate_limited', new Response('', { status: 429, headers: { 'retry-after': '3' } })],
    ['network_error', () => Promise.reject(new TypeError('network'))],
  ])(
    'H13: an address that asks to wait, or does not answer, ends the search: %s',
    async (code, answer) => {
      const network = closedNetwork()
        .on(ISSUER + OAUTH2, page)
        .on(ISSUER + OIDC, answer)
      const error = await failure(discover(SERVER, network))
      expect(error.code).toBe(code)
      expect(error.message).toContain(`${ISSUER}${OAUTH2} `)
      expect(error.message).toContain(`${ISSUER}${OIDC} `)
      const first = closedNetwork().on(ISSUER + OAUTH2, new Response('', { status: 429 }))
      expect((await failure(discover(SERVER, first))).code).toBe('rate_limited')
      expect(first.sent).toHaveLength(1)
    },
  )

  test('H13: a document of the issuer ends the search, and its fault is named', async () => {
    const { token_endpoint: _, ...others } = METADATA
    const network = closedNetwork().on(ISSUER + OAUTH2, json({ ...others, token_endpoint: 7 }))
    expect((await failure(discover(SERVER, network))).message).toContain('"token_endpoint"')
    expect(network.sent).toHaveLength(1)
  })

  test('H13: metadata of the operator profile serve where a web page is at each address', async () => {
    const { issuer: _, ...metadata } = METADATA
    for (const answer of [page, () => json({}), redirect]) {
      const network = closedNetwork()
        .on(ISSUER + OAUTH2, answer)
        .on(ISSUER + OIDC, answer)
      expect(await discover({ ...SERVER, metadata }, network)).toEqual(METADATA)
    }
  })

  test.each([
    ['issuer_mismatch', () => json(EVIL)],
    ['network_error', () => new Response('', { status: 500 })],
  ])('H13: they do not stand in for a document that may be there: %s', async (code, answer) => {
    const { issuer: _, ...metadata } = METADATA
    const network = closedNetwork()
      .on(ISSUER + OAUTH2, answer)
      .on(ISSUER + OIDC, notFound())
    expect((await failure(discover({ ...SERVER, metadata }, network))).code).toBe(code)
  })
})

describe('PKCE in metadata (RFC 7636 section 4.2, RFC 9700 section 2.1.1)', () => {
  test.each([undefined, [], ['plain'], ['s256'], ['S512']])(
    'P05: code_challenge_methods_supported as %j is rejected; plain is never used',
    async (code_challenge_methods_supported) => {
      const error = await tokenError({ ...METADATA, code_challenge_methods_supported })
      expect(error.code).toBe('pkce_unsupported')
    },
  )

  test('P05: a server that offers plain besides S256 is accepted', async () => {
    const network = closedNetwork().on(
      ISSUER + OAUTH2,
      json({ ...METADATA, code_challenge_methods_supported: ['plain', 'S256'] }),
    )
    await discover(SERVER, network)
  })
})

describe("the operator's overrides", () => {
  const without = (network: ClosedNetwork) =>
    network.on(ISSUER + OAUTH2, notFound()).on(ISSUER + OIDC, notFound())

  test('describe a server that publishes no metadata', async () => {
    const { issuer: _, ...metadata } = METADATA
    const server: ServerConfig = { ...SERVER, metadata }
    expect(await discover(server, without(closedNetwork()))).toEqual(METADATA)
  })

  test('complete and override the published metadata, except the issuer', async () => {
    const network = closedNetwork().on(ISSUER + OAUTH2, json(METADATA))
    const overrides = { token_endpoint: `${ISSUER}/other`, issuer: 'https://evil.example' }
    const metadata = await discover({ ...SERVER, metadata: overrides }, network)
    expect(metadata.token_endpoint).toBe(`${ISSUER}/other`)
    expect(metadata.issuer).toBe(ISSUER)
  })

  test('are needed where there is nothing else', async () => {
    const error = await failure(discover(SERVER, without(closedNetwork())))
    expect(error.code).toBe('invalid_metadata')
  })

  test.each([
    'http://as.example',
    'https://as.example?x=1',
    'https://as.example#x',
    'https://as.example?',
    'as.example',
    'https://user@as.example',
  ])('cannot name the issuer "%s" (RFC 8414 section 2)', async (issuer) => {
    const network = closedNetwork({ allowInsecureLoopback: true })
    const error = await failure(discover({ ...SERVER, issuer }, network))
    expect(['insecure_url', 'invalid_metadata']).toContain(error.code)
    expect(network.sent).toHaveLength(0)
  })
})
