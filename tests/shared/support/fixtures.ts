/** Fixture of an authorization server and of a flow with it, which tests vary. */

import {
  type AwaitingAuthorizationResponse,
  type BeginAuthorization,
  beginAuthorization,
  type RedeemableFlow,
  receiveAuthorizationResponse,
  type ServerConfig,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import { type ClosedNetwork, START } from './closed-network.ts'

export const ISSUER = 'https://as.example'
export const TOKEN_ENDPOINT = `${ISSUER}/token`
export const JWKS_URI = `${ISSUER}/jwks`
export const CLIENT_ID = 'cloud-gaming'
export const REDIRECT_URI = 'https://broker.example/issuer-path'
export const RESOURCE = 'https://api.example/3gpp-as-session-with-qos/v1'
export const API = { resource: RESOURCE, scope: 'qos' }

export const SERVER: ServerConfig = { issuer: ISSUER, profile: 'oauth' }

export const METADATA: ServerMetadata = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: TOKEN_ENDPOINT,
  jwks_uri: JWKS_URI,
  revocation_endpoint: `${ISSUER}/revoke`,
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
}

export const TOKEN_RESPONSE = {
  access_token: 'opaque-access-token',
  token_type: 'Bearer',
  expires_in: 600,
  scope: 'qos',
}

export function request(overrides: Partial<BeginAuthorization> = {}): BeginAuthorization {
  return {
    server: SERVER,
    metadata: METADATA,
    clientId: CLIENT_ID,
    redirectUri: REDIRECT_URI,
    apis: [API],
    deadlineMs: START + 600_000,
    ...overrides,
  }
}

export async function begin(
  network: ClosedNetwork,
  overrides: Partial<BeginAuthorization> = {},
): Promise<AwaitingAuthorizationResponse> {
  return (await beginAuthorization(request(overrides), network)).flow
}

/** The redirect with which the server answers a flow. `null` removes a parameter. */
export function redirectOf(
  flow: AwaitingAuthorizationResponse,
  changes: Record<string, string | null> = {},
): string {
  const url = new URL(flow.redirectUri)
  const parameters = { code: 'the-code', state: flow.state, iss: flow.issuer, ...changes }
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null) url.searchParams.set(name, value)
  }
  return url.href
}

export async function redeemable(
  network: ClosedNetwork,
  overrides: Partial<BeginAuthorization> = {},
): Promise<RedeemableFlow> {
  const flow = await begin(network, overrides)
  return receiveAuthorizationResponse(flow, redirectOf(flow), network.now())
}
