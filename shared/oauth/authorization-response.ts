/**
 * Judges the redirect that answers an authorization request: where it arrived, whose it is, that each
 * parameter comes once, and only then whether it brings a code or an error.
 * @see RFC 6749 sections 4.1.2 and 10.14, RFC 9207 section 2.4, RFC 9700 sections 4.4 and 4.7
 */

import { AuthorizationResponseError, validateAuthResponse } from 'oauth4webapi'
import { NorthkeyError, redactSecrets } from './error.ts'
import { codeOfServerError } from './error-response.ts'
import type { ServerMetadata } from './metadata.ts'
import { parseUrl } from './url-policy.ts'

export interface ExpectedResponse {
  metadata: Pick<ServerMetadata, 'issuer' | 'authorization_response_iss_parameter_supported'>
  clientId: string
  redirectUri: string
  state: string
}

const URL_LIMIT = 16_384
const CODE = /^[\x20-\x7e]{1,4096}$/
const PARTS = /^([^?#]*)(?:\?([^#]*))?/
const ONCE = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'response']

/** The parameters of a response that has passed; only this file makes them. */
export type ValidatedParameters = URLSearchParams & { readonly __validated: unique symbol }

/** The `state` of a redirect, to find whose flow it answers. It proves nothing yet. */
export function authorizationResponseState(url: string): string | undefined {
  const values = parseQuery(url)?.getAll('state')
  return values?.length === 1 && values[0] !== '' ? values[0] : undefined
}

function parseQuery(url: string): URLSearchParams | undefined {
  return url.length > URL_LIMIT ? undefined : parseUrl(url)?.searchParams
}

/**
 * The parameters with the code, or the error that the response amounts to.
 * @param url The redirect as it arrived.
 */
export function validateAuthorizationResponse(
  expected: ExpectedResponse,
  url: string,
): ValidatedParameters {
  // Compared as written: a normalized look-alike is still a look-alike.
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
  if (!CODE.test(validated.get('code') ?? '')) {
    throw invalidResponse(
      'parameter "code" must be there, printable and of at most 4096 characters',
    )
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
    throw new NorthkeyError(codeOfServerError(word), 'the server answered with an error', {
      error: word,
      errorDescription: redactSecrets(error.error_description, secrets),
    })
  }
}

function invalidResponse(message: string): NorthkeyError {
  return new NorthkeyError('invalid_response', message)
}
