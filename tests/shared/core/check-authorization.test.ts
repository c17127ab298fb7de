/**
 * Tests what is known of an authorization before anybody is asked.
 *
 * Seen to fail before the check existed: each of these authorizations ended in the same error only after the user
 * had allowed it, and a dynamic client was registered for it.
 */

import { describe, expect, test } from 'vitest'
import {
  checkApis,
  checkAuthorization,
  type ServerConfig,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { NorthkeyError } from '../../../shared/oauth/error.ts'
import { closedNetwork } from '../support/closed-network.ts'
import { API, CLIENT_ID, METADATA, SERVER } from '../support/fixtures.ts'

const { token_endpoint: _, ...WITHOUT_TOKEN_ENDPOINT } = METADATA
const PAR = { pushed_authorization_request_endpoint: `${METADATA.issuer}/par` }

function codeOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    const { code, message } = error as NorthkeyError
    return `${code}: ${message}`
  }
}

describe('F07: what an authorization needs', () => {
  const cases: [
    title: string,
    server: Partial<ServerConfig>,
    metadata: Partial<ServerMetadata>,
    message: RegExp | undefined,
  ][] = [
    ['everything is there', {}, {}, undefined],
    ['PAR is required and there', { pushedAuthorizationRequests: 'required' }, PAR, undefined],
    [
      'PAR is required and missing',
      { pushedAuthorizationRequests: 'required' },
      {},
      /^unsupported_by_server: .*"pushed_authorization_request_endpoint"/,
    ],
    [
      'a list of DPoP algorithms without ES256',
      { dpop: 'required' },
      { dpop_signing_alg_values_supported: ['EdDSA'] },
      /^unsupported_by_server: .*"dpop_signing_alg_values_supported"/,
    ],
    ['no list of DPoP algorithms', { dpop: 'required' }, {}, undefined],
    [
      'a list of client authentications without that of the profile',
      { clientAuthentication: 'private_key_jwt' },
      { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
      /^unsupported_by_server: .*private_key_jwt/,
    ],
    [
      'a list of algorithms of assertions without ES256',
      { clientAuthentication: 'private_key_jwt' },
      { token_endpoint_auth_signing_alg_values_supported: ['RS256'] },
      /^unsupported_by_server: .*ES256/,
    ],
    [
      'a list of client authentications without none, as honest servers with public clients have it',
      {},
      { token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] },
      undefined,
    ],
  ]
  test.each(cases)('%s', (_title, server, metadata, message) => {
    const planned = {
      server: { ...SERVER, ...server },
      metadata: { ...METADATA, ...metadata },
      clientId: CLIENT_ID,
    }
    const found = codeOf(() => checkAuthorization(planned, closedNetwork()))
    if (message) expect(found).toMatch(message)
    else expect(found).toBeUndefined()
  })

  test('a token endpoint: of a server, or from the root of a CAPIF core', () => {
    const plan = (server: ServerConfig) => () =>
      checkAuthorization(
        { server, metadata: WITHOUT_TOKEN_ENDPOINT, clientId: CLIENT_ID },
        closedNetwork(),
      )
    expect(codeOf(plan(SERVER))).toMatch(/^unsupported_by_server: .*"token_endpoint"/)
    const capif = { ...SERVER, profile: 'capif' as const }
    expect(codeOf(plan(capif))).toMatch(/^invalid_metadata: "capif.apiRoot"/)
    expect(codeOf(plan({ ...capif, capif: { apiRoot: SERVER.issuer } }))).toBeUndefined()
  })

  test('a registration endpoint, where a client has to be registered first', () => {
    const check = () => checkAuthorization({ server: SERVER, metadata: METADATA }, closedNetwork())
    expect(codeOf(check)).toMatch(/^unsupported_by_server: .*"registration_endpoint"/)
  })
})

describe('F07: the APIs of a request', () => {
  const camara = { ...SERVER, profile: 'camara' as const }
  const purpose = 'dpv:FraudPreventionAndDetection'

  test('have one purpose at a CAMARA operator', () => {
    expect(codeOf(() => checkApis(camara, [API]))).toMatch(/^invalid_params: "purpose"/)
    expect(codeOf(() => checkApis(camara, [{ ...API, purpose }]))).toBeUndefined()
  })

  test('have a CAPIF scope at a CAPIF core', () => {
    const capif = { ...SERVER, profile: 'capif' as const }
    expect(codeOf(() => checkApis(capif, [API]))).toMatch(/^invalid_params: "scope"/)
    expect(codeOf(() => checkApis(capif, [{ ...API, scope: '3gpp#aef:api' }]))).toBeUndefined()
  })
})
