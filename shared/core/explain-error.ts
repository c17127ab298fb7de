/**
 * Explains error responses of a server in the words of the operator profile, so that a person knows what to change:
 * the scope words that the broker has added to a request, and the client authentication that it has. The
 * server's own `error` and description stay as they are.
 *
 * Border: the explanation names members and the broker's own words, never a value of a caller or of a server.
 * @see RFC 6749 sections 4.1.2.1 and 5.2, RFC 9126 section 2.3
 */

import type { ApiAccess } from '../messages/page-api.ts'
import { NorthkeyError } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { scopeWords } from '../oauth/scope.ts'
import type { ServerConfig } from '../profiles/profile.ts'

/** The request that a server has refused. */
export interface RefusedRequest {
  server: ServerConfig
  metadata: ServerMetadata
  /** Scope that was sent. */
  scope?: string | undefined
  /** APIs of the caller. */
  apis?: readonly ApiAccess[] | undefined
}

/** The words that the broker adds to the scope of a caller, with the member of the profile that decides about it. */
const ADDED_WORDS: Readonly<Record<string, string>> = {
  offline_access: 'offlineAccess',
  openid: 'openid',
}

function explainScope({ scope, apis }: RefusedRequest): string | undefined {
  if (scope === undefined || apis === undefined) return undefined
  const own = new Set(apis.flatMap((api) => scopeWords(api.scope)))
  const added = scopeWords(scope).filter(
    (word) => !own.has(word) && Object.hasOwn(ADDED_WORDS, word),
  )
  if (added.length === 0) return 'Northkey added no scope to that of "apis"'
  const words = added.map((word) => `${word} (profile member "${ADDED_WORDS[word]}")`)
  return `Northkey added ${words.join(' and ')} to the scope of "apis"`
}

function explainClient({ server, metadata }: RefusedRequest): string {
  const method = server.clientAuthentication ?? 'none'
  const listed = metadata.token_endpoint_auth_methods_supported
  const list =
    listed?.includes(method) === false ? ', which the metadata of the server do not list' : ''
  const advice =
    method === 'none'
      ? 'it holds no client secret: the client must be registered as a public client'
      : 'the server must have the public key of this installation'
  return `Northkey sent the client authentication ${method} (profile member "clientAuthentication")${list}; ${advice}`
}

function findExplanation(error: string | undefined, request: RefusedRequest): string | undefined {
  switch (error) {
    case 'invalid_scope':
      return explainScope(request)
    case 'invalid_client':
    case 'unauthorized_client':
      return explainClient(request)
    default:
      return undefined
  }
}

/** Adds an explanation to the message of an error response. Another error is returned as it is. */
export function explainError(error: unknown, request: RefusedRequest): unknown {
  if (!(error instanceof NorthkeyError)) return error
  const explanation = findExplanation(error.error, request)
  if (explanation === undefined) return error
  const { code, message, cause } = error
  return new NorthkeyError(code, `${message}. ${explanation}`, { ...error.toJSON(), cause })
}

/** Runs a request, and explains its error response. */
export function withExplanation<T>(request: RefusedRequest, send: () => Promise<T>): Promise<T> {
  return send().catch((error: unknown) => {
    throw explainError(error, request)
  })
}
