/**
 * Maps errors of the core to the `ProviderError` of the page contract (section 4), for every code. The
 * server's registered `error` is kept; the `cause` of an error never reaches a page.
 */

import {
  ERROR_CODE,
  type ErrorCode,
  type ProviderErrorData,
  type ProviderErrorObject,
} from '../messages/page-api.ts'
import {
  isNorthkeyError,
  type NorthkeyErrorCode,
  type NorthkeyErrorObject,
} from '../oauth/error.ts'

interface Row {
  code: ErrorCode
  /** `data.error` for the page, unless the server's `error` replaces it. */
  error: string
  /** Whether the server's own `error` replaces it. */
  keepsServerError?: true
}

const TABLE: Readonly<Record<NorthkeyErrorCode, Row>> = {
  access_denied: { code: ERROR_CODE.accessDenied, error: 'access_denied' },
  user_cancelled: { code: ERROR_CODE.accessDenied, error: 'access_denied' },
  aborted: { code: ERROR_CODE.unreachable, error: 'network_error' },
  interaction_required: {
    code: ERROR_CODE.interactionRequired,
    error: 'interaction_required',
    keepsServerError: true,
  },
  insufficient_user_authentication: {
    code: ERROR_CODE.insufficientAuthorization,
    error: 'insufficient_user_authentication',
  },
  insufficient_scope: { code: ERROR_CODE.insufficientAuthorization, error: 'insufficient_scope' },
  invalid_token: { code: ERROR_CODE.authorizationServerError, error: 'invalid_token' },
  not_on_mobile_network: {
    code: ERROR_CODE.notOnMobileNetwork,
    error: 'not_on_mobile_network',
  },
  rate_limited: { code: ERROR_CODE.rateLimited, error: 'rate_limited' },
  invalid_response: { code: ERROR_CODE.untrustedResponse, error: 'invalid_response' },
  issuer_mismatch: { code: ERROR_CODE.untrustedResponse, error: 'issuer_mismatch' },
  state_mismatch: { code: ERROR_CODE.untrustedResponse, error: 'state_mismatch' },
  token_type_mismatch: { code: ERROR_CODE.untrustedResponse, error: 'token_type_mismatch' },
  invalid_id_token: { code: ERROR_CODE.untrustedResponse, error: 'invalid_id_token' },
  invalid_metadata: { code: ERROR_CODE.untrustedResponse, error: 'invalid_response' },
  pkce_unsupported: { code: ERROR_CODE.untrustedResponse, error: 'invalid_response' },
  insecure_url: { code: ERROR_CODE.untrustedResponse, error: 'invalid_response' },
  authorization_server_error: {
    code: ERROR_CODE.authorizationServerError,
    error: 'server_error',
    keepsServerError: true,
  },
  unsupported_by_server: {
    code: ERROR_CODE.authorizationServerError,
    error: 'unsupported_by_server',
  },
  network_error: { code: ERROR_CODE.unreachable, error: 'network_error' },
  timeout: { code: ERROR_CODE.unreachable, error: 'timeout' },
  flow_expired: { code: ERROR_CODE.unreachable, error: 'timeout' },
  flow_interrupted: { code: ERROR_CODE.unreachable, error: 'network_error' },
  key_mismatch: { code: ERROR_CODE.interactionRequired, error: 'login_required' },
  invalid_params: { code: ERROR_CODE.invalidParams, error: 'invalid_params' },
  no_grant: { code: ERROR_CODE.noGrant, error: 'no_grant' },
  unsupported_method: { code: ERROR_CODE.unsupportedMethod, error: 'unsupported_method' },
  already_pending: { code: ERROR_CODE.alreadyPending, error: 'already_pending' },
  forbidden_context: { code: ERROR_CODE.forbiddenContext, error: 'forbidden_context' },
  broker_gone: { code: ERROR_CODE.brokerGone, error: 'broker_gone' },
  internal_error: { code: ERROR_CODE.internalError, error: 'internal_error' },
}

const DEFECT = 'a defect of the broker'

/** Converts an error to a `ProviderError` as a plain object. An error of another type is an `internal_error`. */
export function toProviderError(error: unknown): ProviderErrorObject {
  const known: NorthkeyErrorObject = isNorthkeyError(error)
    ? error
    : { name: 'NorthkeyError', code: 'internal_error', message: DEFECT }
  const row = TABLE[known.code]
  const data: ProviderErrorData = {
    error: row.keepsServerError ? (known.error ?? row.error) : row.error,
  }
  if (known.httpStatus !== undefined) data.httpStatus = known.httpStatus
  if (known.retryAfterSeconds !== undefined) data.retryAfterSeconds = known.retryAfterSeconds
  if (known.code === 'internal_error') return { code: row.code, message: DEFECT, data }
  // An application may show the data alone: without a description of the server, it has to name the endpoint.
  data.errorDescription = known.errorDescription ?? known.message
  return { code: row.code, message: known.message, data }
}
