/**
 * The one error of the core: a closed union of codes for programs, a sentence for people, and a plain
 * object for borders, because a cloned `Error` loses its name, its code and its class.
 *
 * Border: no value of a parameter is ever part of a message. What a server said stays beside ours,
 * reduced to the characters that RFC 6749 section 5.2 allows it.
 */

export const NORTHKEY_ERROR_CODES = [
  /** The user refused, at the server or in a screen of the broker. */
  'access_denied',
  /** The user closed the window. */
  'user_cancelled',
  /** The caller gave up. */
  'aborted',
  /** The server would have to ask the user something, and may not. */
  'interaction_required',
  /** The resource wants another authentication (RFC 9470). */
  'insufficient_user_authentication',
  /** The resource wants more scope (RFC 6750 section 3.1). */
  'insufficient_scope',
  /** The resource does not accept the token any more (RFC 6750 section 3.1). */
  'invalid_token',
  /** The network could not tell who the subscriber is, because the UE is not on it. */
  'not_on_mobile_network',
  /** Too many requests. */
  'rate_limited',
  /** A response that is not what its specification says. */
  'invalid_response',
  /** Metadata, response or token of another issuer (RFC 8414, RFC 9207, OIDC Core). */
  'issuer_mismatch',
  /** A redirect that answers no request of ours. */
  'state_mismatch',
  /** The token is bound otherwise than was asked for (RFC 9449 section 5). */
  'token_type_mismatch',
  /** The ID token must not be believed (OIDC Core section 3.1.3.7). */
  'invalid_id_token',
  /** The server's metadata lacks what the flow needs, or offers it in an unusable form. */
  'invalid_metadata',
  /** The server does not offer S256 (RFC 7636 section 4.2). */
  'pkce_unsupported',
  /** Plain http, or another scheme, where https is required. */
  'insecure_url',
  /** The server refused; its own word is in `error`. */
  'authorization_server_error',
  /** The server cannot do what was asked, revocation for instance. */
  'unsupported_by_server',
  /** The server could not be reached, or failed. */
  'network_error',
  /** No answer within the limit. */
  'timeout',
  /** The response came after the flow's deadline. */
  'flow_expired',
  /** The program ended between a step that cannot be repeated and its answer. */
  'flow_interrupted',
  /** The key at hand is not the one that the flow or the token is bound to. */
  'key_mismatch',
  /** A parameter of the caller. */
  'invalid_params',
  /** No such grant, or none of this caller's. */
  'no_grant',
  /** No such method. */
  'unsupported_method',
  /** A window is open already. */
  'already_pending',
  /** A caller that may not ask. */
  'forbidden_context',
  /** The broker has gone away. */
  'broker_gone',
  /** A defect of ours. */
  'internal_error',
] as const

export type NorthkeyErrorCode = (typeof NORTHKEY_ERROR_CODES)[number]

export interface NorthkeyErrorDetails {
  /** The server's registered word, verbatim. */
  error?: string | undefined
  /** The server's sentence, reduced to the characters it may have. */
  errorDescription?: string | undefined
  httpStatus?: number | undefined
  retryAfterSeconds?: number | undefined
  cause?: unknown
}

/** A {@link NorthkeyError} as it crosses a border or lies in a store. */
export interface NorthkeyErrorObject {
  name: 'NorthkeyError'
  code: NorthkeyErrorCode
  message: string
  error?: string
  errorDescription?: string
  httpStatus?: number
  retryAfterSeconds?: number
}

/** Every failure of the core. `switch (error.code)` narrows and the compiler lists what is left. */
export class NorthkeyError extends Error {
  override readonly name = 'NorthkeyError'
  readonly code: NorthkeyErrorCode
  readonly error?: string
  readonly errorDescription?: string
  readonly httpStatus?: number
  readonly retryAfterSeconds?: number

  constructor(code: NorthkeyErrorCode, message: string, details: NorthkeyErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    const word = sanitizeServerError(details.error)
    if (word !== undefined) this.error = word
    const description = sanitizeServerText(details.errorDescription)
    if (description !== undefined) this.errorDescription = description
    if (details.httpStatus !== undefined) this.httpStatus = details.httpStatus
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds
  }

  /** The plain object. It has no cause: what lies below may hold what must not travel. */
  toJSON(): NorthkeyErrorObject {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      ...(this.error !== undefined && { error: this.error }),
      ...(this.errorDescription !== undefined && { errorDescription: this.errorDescription }),
      ...(this.httpStatus !== undefined && { httpStatus: this.httpStatus }),
      ...(this.retryAfterSeconds !== undefined && { retryAfterSeconds: this.retryAfterSeconds }),
    }
  }

  /** The error of which {@link NorthkeyError.toJSON} gave the object. */
  static from(object: NorthkeyErrorObject): NorthkeyError {
    return new NorthkeyError(object.code, object.message, object)
  }
}

/** Runs an operation; whatever fails in it fails as a {@link NorthkeyError}. */
export function withOwnErrors<T>(operation: () => Promise<T>): Promise<T> {
  return operation().catch((error: unknown) => {
    if (error instanceof NorthkeyError) throw error
    throw new NorthkeyError('internal_error', 'a defect of the core', { cause: error })
  })
}

/** Looks at a field, not at the class: an error that crossed a border has lost its class. */
export function isNorthkeyError(value: unknown): value is NorthkeyErrorObject {
  const { name, code } = (value ?? {}) as Partial<NorthkeyErrorObject>
  return name === 'NorthkeyError' && NORTHKEY_ERROR_CODES.includes(code as NorthkeyErrorCode)
}

const ERROR_WORD = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}$/
const DESCRIPTION_LIMIT = 300

/** A server's `error`: anything outside of the grammar of RFC 6749 section 5.2 is nobody's word. */
export function sanitizeServerError(value: unknown): string | undefined {
  return typeof value === 'string' && ERROR_WORD.test(value) ? value : undefined
}

/**
 * A server's sentence as inert text: the characters of RFC 6749 section 5.2, at most 300 of them, and
 * nothing that has the look of a JWT.
 */
export function sanitizeServerText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  return value
    .slice(0, 4 * DESCRIPTION_LIMIT)
    .replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) => (character === '"' ? "'" : '?'))
    .replaceAll(/eyJ[\w-]+(\.[\w-]*){2,4}/g, '[removed]')
    .slice(0, DESCRIPTION_LIMIT)
}

/** Takes secrets that a server echoes out of its words. */
export function redactSecrets<T extends string | undefined>(
  text: T,
  secrets: readonly (string | undefined)[],
): T {
  let clean: string | undefined = text
  for (const secret of secrets) {
    if (secret !== undefined && secret.length >= 4) clean = clean?.replaceAll(secret, '[removed]')
  }
  return clean as T
}
