/**
 * Authorization request, as parameters and as a URL.
 *
 * Border: the parameters that protect the flow come from the core. A caller cannot set `redirect_uri`,
 * `response_type`, `response_mode`, `state`, `nonce` or the challenge by additional parameters, because
 * {@link AuthorizationRequest} has no fields besides those below.
 * @see RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2, RFC 9449 section 10
 */

import { NorthkeyError } from './error.ts'
import { isAcrValues, isClientId, isLoginHint, LOGIN_HINT } from './opaque-values.ts'
import { isScope } from './scope.ts'
import { parseUrl } from './url-policy.ts'

export type Prompt = 'none' | 'login' | 'consent' | 'select_account'

export interface AuthorizationRequest {
  clientId: string
  redirectUri: string
  /** An empty string for a request without scope. @see RFC 6749 section 3.3 */
  scope: string
  state: string
  codeChallenge: string
  resources?: readonly string[]
  nonce?: string | undefined
  prompt?: Prompt | undefined
  loginHint?: string | undefined
  acrValues?: string | undefined
  maxAge?: number | undefined
  dpopJkt?: string | undefined
}

const PRINTABLE = 'printable ASCII'
const PROMPTS: readonly string[] = ['none', 'login', 'consent', 'select_account']

/** The parameters of the request. Each occurs once, except `resource`. */
export function authorizationParameters(request: AuthorizationRequest): URLSearchParams {
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: requireValue(request.clientId, 'clientId', isClientId, PRINTABLE),
    redirect_uri: requireRedirectUri(request.redirectUri),
    ...(request.scope !== '' && {
      scope: requireValue(request.scope, 'scope', isScope, 'a scope'),
    }),
    state: request.state,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
  })
  for (const resource of request.resources ?? []) {
    parameters.append('resource', requireResource(resource))
  }
  if (request.prompt !== undefined && !PROMPTS.includes(request.prompt)) {
    throw new NorthkeyError('invalid_params', `"prompt" must be one of ${PROMPTS.join(', ')}`)
  }
  const { maxAge } = request
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0)) {
    throw new NorthkeyError('invalid_params', '"maxAge" must be a number of seconds')
  }
  const optional = {
    nonce: request.nonce,
    prompt: request.prompt,
    login_hint: requireOptional(request.loginHint, 'loginHint', isLoginHint, LOGIN_HINT),
    acr_values: requireOptional(request.acrValues, 'acrValues', isAcrValues, PRINTABLE),
    max_age: maxAge?.toString(),
    dpop_jkt: request.dpopJkt,
  }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== undefined) parameters.set(name, value)
  }
  return parameters
}

/** The URL to open. The endpoint's own query is kept; a parameter of the request replaces one of its name. @see RFC 6749 section 3.1 */
export function authorizationUrl(endpoint: string, parameters: URLSearchParams): string {
  const url = new URL(endpoint)
  for (const name of parameters.keys()) url.searchParams.delete(name)
  for (const [name, value] of parameters) url.searchParams.append(name, value)
  return url.href
}

/** Checks a redirect URI: absolute, without query and fragment, since the broker's has neither. @see RFC 6749 section 3.1.2 */
export function requireRedirectUri(value: string): string {
  if (parseUrl(value)?.href !== value || /[?#]/.test(value)) {
    throw new NorthkeyError(
      'invalid_params',
      '"redirectUri" must be an absolute URL in normal form, without query and fragment',
    )
  }
  return value
}

/** Checks a resource indicator: an absolute URL without fragment. @see RFC 8707 section 2 */
export function requireResource(value: string): string {
  if (!/^https?:\/\//.test(value) || value.includes('#') || !URL.canParse(value)) {
    throw new NorthkeyError('invalid_params', '"resource" must be an absolute URL, no fragment')
  }
  return value
}

type Grammar = (value: unknown) => value is string

function requireValue(value: unknown, name: string, isValid: Grammar, expectation: string): string {
  if (isValid(value)) return value
  throw new NorthkeyError('invalid_params', `"${name}" must be ${expectation}`)
}

function requireOptional(
  value: unknown,
  name: string,
  isValid: Grammar,
  expectation: string,
): string | undefined {
  return value === undefined ? undefined : requireValue(value, name, isValid, expectation)
}
