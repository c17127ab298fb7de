/**
 * Creates the broker errors that a page can receive, with their codes of the page contract. Every other
 * error that a page receives comes from the core (`shared/core`). Any further exception is a defect of the
 * broker and reaches the page as `internal_error`.
 *
 * @see docs/page-api.md
 */

import { toProviderError } from '../../../shared/core/error-mapping.ts'
import {
  ERROR_CODE,
  type ErrorCode,
  type ProviderErrorData,
  type ProviderErrorObject,
} from '../../../shared/messages/page-api.ts'

/** Error with a code of the page contract, and the `data` that the page receives. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: ErrorCode
  readonly data: ProviderErrorData
  /**
   * Cause that the page must not learn: for the user's log, and for the console in a development build. It has the
   * broker's own words and those of operator profiles, and nothing that a page chose.
   */
  readonly diagnosis?: string

  constructor(
    code: ErrorCode,
    error: string,
    message: string,
    more: Partial<ProviderErrorData> = {},
    diagnosis?: string,
  ) {
    super(message)
    if (diagnosis !== undefined) this.diagnosis = diagnosis
    this.code = code
    this.data = { error, errorDescription: message, ...more }
  }
}

/** @param diagnosis Cause, which the page does not learn. */
export const invalidParams = (message: string, diagnosis?: string) =>
  new BrokerError(ERROR_CODE.invalidParams, 'invalid_params', message, {}, diagnosis)

/**
 * The same error for an unknown grant and for a grant of another origin, so that a page cannot tell them
 * apart.
 *
 * @param diagnosis Cause, which the page does not learn.
 */
export const noGrant = (diagnosis?: string) =>
  new BrokerError(ERROR_CODE.noGrant, 'no_grant', 'this origin has no such grant', {}, diagnosis)

export const accessDenied = () =>
  new BrokerError(
    ERROR_CODE.accessDenied,
    'access_denied',
    'the user refused, or closed the window',
  )

export const rateLimited = (message: string, retryAfterSeconds: number) =>
  new BrokerError(ERROR_CODE.rateLimited, 'rate_limited', message, { retryAfterSeconds })

export const interactionRequired = (message: string) =>
  new BrokerError(ERROR_CODE.interactionRequired, 'interaction_required', message)

/** The server gives no token for one API of a grant beside the others. A window would change nothing. */
export const apiWithdrawn = () =>
  new BrokerError(
    ERROR_CODE.authorizationServerError,
    'invalid_target',
    'the operator gives no token for this API beside the others of the grant, which has lost it; connect it alone',
  )

export const isApiWithdrawn = (error: unknown): boolean =>
  error instanceof BrokerError && error.data.error === 'invalid_target'

export const alreadyPending = () =>
  new BrokerError(
    ERROR_CODE.alreadyPending,
    'already_pending',
    'this origin already has a window open',
  )

export const forbiddenContext = (message: string) =>
  new BrokerError(ERROR_CODE.forbiddenContext, 'forbidden_context', message)

export const interrupted = () =>
  new BrokerError(
    ERROR_CODE.unreachable,
    'network_error',
    'the broker was interrupted before the answer was safe; ask again',
  )

export const unreachable = () =>
  new BrokerError(ERROR_CODE.unreachable, 'network_error', 'the operator cannot be reached')

/** @param host Host of the redirect URI. */
export const redirectBlocked = (host: string) =>
  new BrokerError(
    ERROR_CODE.unreachable,
    'redirect_blocked',
    `this browser does not load the redirect URI; its administrator has to allow https://${host}`,
  )

/** A step without a window was not tried. A window, or a later call, may succeed. */
export const busyOperator = (message: string) =>
  new BrokerError(ERROR_CODE.unreachable, 'network_error', message)

export const timedOut = (message: string) =>
  new BrokerError(ERROR_CODE.unreachable, 'timeout', message)

/** The disk is full or does not respond. A step that has to be stored first was not executed. */
export const storageUnavailable = () =>
  new BrokerError(
    ERROR_CODE.internalError,
    'storage_unavailable',
    'the storage of this browser is full or cannot be opened',
  )

/** The user or the network has ended a grant while a call used it. */
export const grantEnded = () => noGrant('the grant ended while the call ran')

/** The operator of a grant or a flow is gone. */
export const operatorGone = () =>
  noGrant('no accepted operator profile has the issuer of this connection any more')

/** The diagnosis of an error, if it has one. */
export const getDiagnosis = (error: unknown): string | undefined =>
  error instanceof BrokerError ? error.diagnosis : undefined

/** Converts an error to the plain object that crosses the border to a page, without its diagnosis. */
export function toErrorObject(error: unknown): ProviderErrorObject {
  if (error instanceof BrokerError) {
    return { code: error.code, message: error.message, data: error.data }
  }
  return toProviderError(error)
}
