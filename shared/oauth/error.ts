/**
 * Error type of the core: a closed union of codes for programs, a message for people, and a plain object for
 * borders, because a cloned `Error` loses its name, its code and its class.
 *
 * Border: a message never contains the value of a parameter. The server's own `error` and description stay in
 * separate members, reduced to the characters that RFC 6749 section 5.2 allows.
 */

export const NORTHKEY_ERROR_CODES = [
  /** The user denied access, at the server or in a screen of the broker. */
  'access_denied',
  /** The user closed the window. */
  'user_cancelled',
  /** The caller aborted. */
  'aborted',
  /** The server requires interaction with the user, which the request does not allow. */
  'interaction_required',
  /** The resource requires another authentication of the user (RFC 9470). */
  'insufficient_user_authentication',
  /** The resource requires more scope (RFC 6750 section 3.1). */
  'insufficient_scope',
  /** The resource no longer accepts the token (RFC 6750 section 3.1). */
  'invalid_token',
  /** The network could not identify the subscriber, because the UE is not connected through it. */
  'not_on_mobile_network',
  /** Too many requests. */
  'rate_limited',
  /** A response that does not follow its specification. */
  'invalid_response',
  /** Metadata, a response or a token of another issuer (RFC 8414, RFC 9207, OIDC Core). */
  'issuer_mismatch',
  /** A redirect that belongs to no request of the core. */
  'state_mismatch',
  /** The token type does not match the request (RFC 9449 section 5). */
  'token_type_mismatch',
  /** The ID token failed validation (OIDC Core section 3.1.3.7). */
  'invalid_id_token',
  /** The server's metadata lacks a member that the flow needs, or has it in an unusable form. */
  'invalid_metadata',
  /** The server does not offer S256 (RFC 7636 section 4.2). */
  'pkce_unsupported',
  /** Plain http, or another scheme, where https is required. */
  'insecure_url',
  /** The server sent an error response; its code is in `error`. */
  'authorization_server_error',
  /** The server does not support the operation, for instance revocation. */
  'unsupported_by_server',
  /** The server could not be reached, or answered with a server error. */
  'network_error',
  /** No response within the timeout. */
  'timeout',
  /** The response came after the flow's deadline. */
  'flow_expired',
  /** The program ended between a request that cannot be repeated and its response. */
  'flow_interrupted',
  /** The given key is not the one that the flow or the token is bound to. */
  'key_mismatch',
  /** An invalid parameter of the caller. */
  'invalid_params',
  /** The grant does not exist, or does not belong to the caller. */
  'no_grant',
  /** Unknown method. */
  'unsupported_method',
  /** A window is open already. */
  'already_pending',
  /** A caller that may not use the broker. */
  'forbidden_context',
  /** The broker has gone away. */
  'broker_gone',
  /** A defect of the core or of the broker. */
  'internal_error',
] as const

export type NorthkeyErrorCode = (typeof NORTHKEY_ERROR_CODES)[number]

export interface NorthkeyErrorDetails {
  /** The server's `error`, verbatim. */
  error?: string | undefined
  /** The server's `error_description`, reduced to the allowed characters. */
  errorDescription?: string | undefined
  httpStatus?: number | undefined
  retryAfterSeconds?: number | undefined
  cause?: unknown
}

/** A {@link NorthkeyError} as it crosses a border or is stored. */
export interface NorthkeyErrorObject {
  name: 'NorthkeyError'
  code: NorthkeyErrorCode
  message: string
  error?: string
  errorDescription?: string
  httpStatus?: number
  retryAfterSeconds?: number
}

/** Every failure of the core. `switch (error.code)` narrows, and the compiler lists the unhandled codes. */
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

  /** Converts to a plain object, without `cause`, which may contain values that must not cross a border. */
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

  /** Restores the error from the object that {@link NorthkeyError.toJSON} made. */
  static from(object: NorthkeyErrorObject): NorthkeyError {
    return new NorthkeyError(object.code, object.message, object)
  }
}

/** Runs an operation, and rejects with a {@link NorthkeyError} for every failure. */
export function withOwnErrors<T>(operation: () => Promise<T>): Promise<T> {
  return operation().catch((error: unknown) => {
    if (error instanceof NorthkeyError) throw error
    throw new NorthkeyError('internal_error', 'a defect of the core', { cause: error })
  })
}

/** Checks fields and not the class: an error that crossed a border has lost its class. */
export function isNorthkeyError(value: unknown): value is NorthkeyErrorObject {
  const { name, code } = (value ?? {}) as Partial<NorthkeyErrorObject>
  return name === 'NorthkeyError' && NORTHKEY_ERROR_CODES.includes(code as NorthkeyErrorCode)
}

/**
 * Runs a check on a value that a server sent. `invalid_params` means a parameter of the caller: a check that callers
 * and servers share throws it, and for a value of a server it becomes `invalid_response`.
 */
export function readFromServer<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof NorthkeyError) || error.code !== 'invalid_params') throw error
    throw new NorthkeyError('invalid_response', `in the response of the server ${error.message}`)
  }
}

const ERROR_WORD = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}$/
const DESCRIPTION_LIMIT = 300

/** Returns a server's `error` if it follows the grammar of RFC 6749 section 5.2. */
export function sanitizeServerError(value: unknown): string | undefined {
  return typeof value === 'string' && ERROR_WORD.test(value) ? value : undefined
}

/**
 * Sanitizes a server's description: only characters of RFC 6749 section 5.2, at most 300, and nothing that
 * looks like a JWT.
 */
export function sanitizeServerText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  return value
    .slice(0, 4 * DESCRIPTION_LIMIT)
    .replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) => (character === '"' ? "'" : '?'))
    .replaceAll(/eyJ[\w-]+(\.[\w-]*){2,4}/g, '[removed]')
    .slice(0, DESCRIPTION_LIMIT)
}

/** Removes secrets that a server repeats in its text. */
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
