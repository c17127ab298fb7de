/**
 * Validates the authorization response, which arrives as a redirect: the redirect URI, that each parameter
 * occurs once, issuer and state, and only then its code or its error.
 * @see RFC 6749 sections 4.1.2 and 10.14, RFC 9207 section 2.4, RFC 9700 sections 4.4 and 4.7
 */

import { AuthorizationResponseError, validateAuthResponse } from 'oauth4webapi'
import { NorthkeyError, redactSecrets } from './error.ts'
import { codeOfServerError } from './error-response.ts'
import { RESPONSE_LIMIT_BYTES } from './http.ts'
import type { ServerMetadata } from './metadata.ts'
import { isCode } from './opaque-values.ts'
import { parseUrl } from './url-policy.ts'

export interface ExpectedResponse {
  metadata: Pick<ServerMetadata, 'issuer' | 'authorization_response_iss_parameter_supported'>
  clientId: string
  redirectUri: string
  state: string
}

/** A response in a URL has the limit of any other response. Browsers take longer URLs. */
const URL_LIMIT = RESPONSE_LIMIT_BYTES
const PARTS = /^([^?#]*)(?:\?([^#]*))?/
const ONCE = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'response']

/** The parameters of a validated response. Only this file makes this type. */
export type ValidatedParameters = URLSearchParams & { readonly __validated: unique symbol }

/** The `state` of a redirect, to find its flow. It is not validated yet. */
export function authorizationResponseState(url: string): string | undefined {
  const values = parseQuery(url)?.getAll('state')
  return values?.length === 1 && values[0] !== '' ? values[0] : undefined
}

function parseQuery(url: string): URLSearchParams | undefined {
  return url.length > URL_LIMIT ? undefined : parseUrl(url)?.searchParams
}

/**
 * Returns the parameters with the code, or throws the error of the response.
 * @param url The redirect as it arrived.
 */
export function validateAuthorizationResponse(
  expected: ExpectedResponse,
  url: string,
): ValidatedParameters {
  // Compared as a string: a URL that is equal only after normalization is another redirect URI.
  const [, arrivedAt, query] = url.length > URL_LIMIT ? [] : (PARTS.exec(url) ?? [])
  if (arrivedAt !== expected.redirectUri) {
    throw invalidResponse('the redirect must arrive at the redirect URI that was sent')
  }
  const parameters = new URLSearchParams(query)
  const seen = new Set<string>()
  for (const name of parameters.keys()) {
    if (seen.has(name) && ONCE.includes(name))
      throw invalidResponse(`parameter "${name}" must come once`)
    seen.add(name)
  }
  const { issuer } = expected.metadata
  const iss = parameters.get('iss')
  const required = expected.metadata.authorization_response_iss_parameter_supported === true
  if (iss === null ? required : iss !== issuer) {
    throw new NorthkeyError('issuer_mismatch', 'parameter "iss" must be the issuer that was asked')
  }
  if (parameters.get('state') !== expected.state) {
    throw new NorthkeyError('state_mismatch', 'parameter "state" must be the one that was sent')
  }
  if (parameters.has('code') && parameters.has('error')) {
    throw invalidResponse('the response must bring a code or an error, not both')
  }
  const validated = validateByLibrary(expected, parameters)
  if (!isCode(validated.get('code'))) {
    throw invalidResponse('parameter "code" must be there, and printable ASCII')
  }
  return validated
}

function validateByLibrary(
  expected: ExpectedResponse,
  parameters: URLSearchParams,
): ValidatedParameters {
  const client = { client_id: expected.clientId }
  try {
    return validateAuthResponse(
      expected.metadata,
      client,
      parameters,
      expected.state,
    ) as ValidatedParameters
  } catch (error) {
    if (!(error instanceof AuthorizationResponseError)) {
      throw invalidResponse('the authorization response is not usable')
    }
    const secrets = [expected.state]
    const word = redactSecrets(error.error, secrets)
    throw new NorthkeyError(
      codeOfServerError(word),
      'the authorization endpoint answered with an error',
      {
        error: word,
        errorDescription: redactSecrets(error.error_description, secrets),
      },
    )
  }
}

function invalidResponse(message: string): NorthkeyError {
  return new NorthkeyError('invalid_response', message)
}
