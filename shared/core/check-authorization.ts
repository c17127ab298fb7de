/**
 * Checks what can be known of an authorization before anybody is asked and before a client is registered: the rules
 * of the protocol family for the scope, and whether the server's metadata offer what the operator profile demands.
 * It sends nothing.
 *
 * Border: the absence of an optional member is no proof. Servers that accept public clients often do not list the
 * client authentication `none`.
 * @see RFC 8414 section 2
 */

import type { ApiAccess } from '../messages/page-api.ts'
import type { Effects } from '../oauth/effects.ts'
import { NorthkeyError } from '../oauth/error.ts'
import { requireEndpoint, type ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { isPushed } from './begin-authorization.ts'
import { requireSameIssuer } from './client.ts'

export interface PlannedAuthorization {
  server: ServerConfig
  metadata: ServerMetadata
  /** Absent if the broker will register a client first. */
  clientId?: string | undefined
}

/**
 * Checks the APIs of a request by the rules of the protocol family.
 *
 * @throws NorthkeyError `invalid_params` that names the parameter.
 */
export function checkApis(server: ServerConfig, apis: readonly ApiAccess[]): void {
  profileOf(server).authorizationScope(apis, { offlineAccess: false, idToken: false })
}

/** @throws NorthkeyError `unsupported_by_server`, `invalid_metadata` or `issuer_mismatch`. */
export function checkAuthorization(
  { server, metadata, clientId }: PlannedAuthorization,
  effects: Pick<Effects, 'allowInsecureLoopback'>,
): void {
  requireSameIssuer(server, metadata)
  // The identifier of the client is part of a path there, and a part of no check.
  const complete = profileOf(server).metadataFor(metadata, server, clientId ?? 'client')
  requireEndpoint(complete, 'token_endpoint', effects)
  if (isPushed(server, metadata)) {
    requireEndpoint(metadata, 'pushed_authorization_request_endpoint', effects)
  }
  if (clientId === undefined) requireEndpoint(metadata, 'registration_endpoint', effects)
  requireListed(server.dpop === 'required', metadata, 'dpop_signing_alg_values_supported', 'ES256')
  const hasKey = server.clientAuthentication === 'private_key_jwt'
  requireListed(hasKey, metadata, 'token_endpoint_auth_methods_supported', 'private_key_jwt')
  requireListed(hasKey, metadata, 'token_endpoint_auth_signing_alg_values_supported', 'ES256')
}

type List =
  | 'dpop_signing_alg_values_supported'
  | 'token_endpoint_auth_methods_supported'
  | 'token_endpoint_auth_signing_alg_values_supported'

/** Throws where the operator profile demands a value that the server's own list lacks. */
function requireListed(
  isDemanded: boolean,
  metadata: ServerMetadata,
  name: List,
  value: string,
): void {
  if (!isDemanded || metadata[name]?.includes(value) !== false) return
  throw new NorthkeyError(
    'unsupported_by_server',
    `the operator profile demands ${value}, and "${name}" of the server lacks it`,
  )
}
