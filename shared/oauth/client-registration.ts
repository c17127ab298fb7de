/**
 * Dynamic client registration for one origin: a public client, or a client with a key made on this UE. The
 * response must contain the metadata that was sent; a client that a server registers otherwise is rejected.
 * @see RFC 7591 sections 2, 3.1 and 3.2
 */

import { allowInsecureRequests, customFetch, dynamicClientRegistrationRequest } from 'oauth4webapi'
import { requireRedirectUri } from './authorization-request.ts'
import type { ClientAuthenticationMethod, PublicClientKey } from './client-authentication.ts'
import type { Effects } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { errorFromResponse } from './error-response.ts'
import { sendByLibrary } from './http.ts'
import { readJsonObject } from './json-response.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'
import { isClientId } from './opaque-values.ts'

const ENDPOINT = 'registration endpoint'

export interface ClientRegistration {
  metadata: ServerMetadata
  clientName: string
  redirectUris: readonly string[]
  scope?: string | undefined
  authentication: ClientAuthenticationMethod
  /** The public key for `private_key_jwt`. */
  publicJwk?: PublicClientKey | undefined
  dpopBound?: boolean | undefined
  refreshTokens?: boolean | undefined
  /** For a server whose operator issues initial access tokens. */
  initialAccessToken?: string | undefined
}

export interface RegisteredClient {
  clientId: string
  redirectUris: string[]
  authentication: ClientAuthenticationMethod
  /** The `kid` of the published key, which each assertion has to name. */
  kid?: string
}

/** Registers a client without a secret. A `client_secret` that a server sends all the same is not stored. */
export async function requestClientRegistration(
  registration: ClientRegistration,
  effects: Effects,
): Promise<RegisteredClient> {
  const { metadata, authentication } = registration
  requireEndpoint(metadata, 'registration_endpoint', effects)
  const redirectUris = registration.redirectUris.map(requireRedirectUri)
  const response = await sendByLibrary(
    (send) =>
      dynamicClientRegistrationRequest(metadata, clientMetadata(registration, redirectUris), {
        ...(registration.initialAccessToken !== undefined && {
          initialAccessToken: registration.initialAccessToken,
        }),
        [allowInsecureRequests]: effects.allowInsecureLoopback === true,
        [customFetch]: send,
      }),
    ENDPOINT,
    effects,
  )
  if (response.status !== 201) {
    throw errorFromResponse(response, ENDPOINT, effects.now(), [registration.initialAccessToken])
  }
  const body = readJsonObject(response, ENDPOINT)
  const { client_id, redirect_uris = redirectUris, token_endpoint_auth_method: method } = body
  const same =
    Array.isArray(redirect_uris) && redirectUris.every((uri) => redirect_uris.includes(uri))
  if (!same) throw unexpectedMember('redirect_uris')
  if ((method ?? authentication) !== authentication)
    throw unexpectedMember('token_endpoint_auth_method')
  if (!isClientId(client_id)) throw unexpectedMember('client_id')
  const kid = authentication === 'private_key_jwt' ? registration.publicJwk?.kid : undefined
  return { clientId: client_id, redirectUris, authentication, ...(kid !== undefined && { kid }) }
}

function clientMetadata(registration: ClientRegistration, redirectUris: string[]) {
  const { authentication, refreshTokens, scope, dpopBound } = registration
  return {
    client_name: registration.clientName,
    redirect_uris: redirectUris,
    response_types: ['code'],
    grant_types: ['authorization_code', ...(refreshTokens === true ? ['refresh_token'] : [])],
    token_endpoint_auth_method: authentication,
    application_type: 'web',
    ...(scope !== undefined && { scope }),
    ...(dpopBound === true && { dpop_bound_access_tokens: true }),
    ...(authentication === 'private_key_jwt' && {
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [requirePublicJwk(registration.publicJwk)] },
    }),
  }
}

function requirePublicJwk(jwk: PublicClientKey | undefined): PublicClientKey {
  if (jwk !== undefined) return jwk
  throw new NorthkeyError('invalid_params', '"clientPublicKey" must be there for private_key_jwt')
}

function unexpectedMember(name: string): NorthkeyError {
  return new NorthkeyError('invalid_response', `${ENDPOINT}: "${name}" must be as it was asked`)
}
