/**
 * Dynamic client registration for one origin: a public client, or a client with a key made on this UE. The
 * response must contain the metadata that was sent; a client that a server registers otherwise is rejected, and
 * deleted again where the server offers that.
 * @see RFC 7591 sections 2, 3.1 and 3.2, RFC 7592 section 2.3
 */

import { allowInsecureRequests, customFetch, dynamicClientRegistrationRequest } from 'oauth4webapi'
import { requireRedirectUri } from './authorization-request.ts'
import type { ClientAuthenticationMethod, PublicClientKey } from './client-authentication.ts'
import type { Effects } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { errorFromResponse } from './error-response.ts'
import { sendByLibrary, sendRequest } from './http.ts'
import { type JsonObject, readJsonObject } from './json-response.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'
import { isClientId } from './opaque-values.ts'
import { parseUrl } from './url-policy.ts'

const ENDPOINT = 'registration endpoint'
/** @see RFC 6750 section 2.1 */
const TOKEN = /^[A-Za-z0-9-._~+/]+=*$/

export interface ClientRegistration {
  metadata: ServerMetadata
  clientName: string
  redirectUris: readonly string[]
  /** All that the client's requests may name. @see RFC 7591 section 2 */
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
  const { metadata } = registration
  const registrationEndpoint = requireEndpoint(metadata, 'registration_endpoint', effects)
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
  // Some servers answer with 200: the client exists, whatever the status.
  if (response.status !== 201 && response.status !== 200) {
    throw errorFromResponse(response, ENDPOINT, effects.now(), [registration.initialAccessToken])
  }
  const body = readJsonObject(response, ENDPOINT)
  if (body.client_id === undefined && typeof body.error === 'string') {
    throw errorFromResponse(response, ENDPOINT, effects.now(), [registration.initialAccessToken])
  }
  try {
    return readClient(body, registration, redirectUris)
  } catch (error) {
    await deleteClient(body, registrationEndpoint, effects)
    throw error
  }
}

/** @throws NorthkeyError `invalid_response` for a client that is not as it was asked. */
function readClient(
  body: JsonObject,
  { authentication, publicJwk }: ClientRegistration,
  redirectUris: string[],
): RegisteredClient {
  const { client_id, redirect_uris = redirectUris, token_endpoint_auth_method: method } = body
  const same =
    Array.isArray(redirect_uris) && redirectUris.every((uri) => redirect_uris.includes(uri))
  if (!same) throw unexpectedMember('redirect_uris')
  if ((method ?? authentication) !== authentication)
    throw unexpectedMember('token_endpoint_auth_method')
  if (!isClientId(client_id)) throw unexpectedMember('client_id')
  const kid = authentication === 'private_key_jwt' ? publicJwk?.kid : undefined
  return { clientId: client_id, redirectUris, authentication, ...(kid !== undefined && { kid }) }
}

/**
 * Deletes a client that is of no use, if the server has said how, at its own origin. A failure changes no decision.
 * @see RFC 7592 section 2.3
 */
async function deleteClient(
  { registration_client_uri: uri, registration_access_token: token }: JsonObject,
  registrationEndpoint: URL,
  effects: Effects,
): Promise<void> {
  if (typeof uri !== 'string' || typeof token !== 'string' || !TOKEN.test(token)) return
  if (parseUrl(uri)?.origin !== registrationEndpoint.origin) return
  const request = { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }
  await sendRequest(uri, request, 'client configuration endpoint', effects).catch(() => {})
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
