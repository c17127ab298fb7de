/**
 * Authorization server metadata: discovers the published document, applies the operator's overrides, and
 * selects and checks the members that the flow uses. The result is a snapshot: each flow keeps the snapshot
 * that it began with.
 *
 * A well-known address that answers with anything but a document of the issuer is passed over, and the next address is
 * asked: servers and proxies answer an address that they do not know with a web page, with a redirect, with nothing,
 * or with the document of another issuer. A document of the issuer ends the search, whatever its members are.
 *
 * Border: an issuer is compared as a string, never normalized. No member of a document that was passed over is used.
 * @see RFC 8414, OpenID Connect Discovery 1.0
 */

import { allowInsecureRequests, customFetch, discoveryRequest } from 'oauth4webapi'
import type { Effects } from './effects.ts'
import { NorthkeyError, type NorthkeyErrorCode, sanitizeServerText } from './error.ts'
import { errorFromResponse } from './error-response.ts'
import { sendByLibrary } from './http.ts'
import { dropNullMembers, type JsonObject, readJsonObject } from './json-response.ts'
import type { ServerResponse } from './server-response.ts'
import { requireSecureUrl } from './url-policy.ts'

/**
 * The checked members of RFC 8414 and its extensions that the flow reads.
 * A type and not an interface, so that it is assignable to the metadata type of oauth4webapi.
 */
export type ServerMetadata = {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint?: string
  readonly code_challenge_methods_supported: string[]
  readonly jwks_uri?: string
  readonly registration_endpoint?: string
  readonly revocation_endpoint?: string
  readonly pushed_authorization_request_endpoint?: string
  readonly require_pushed_authorization_requests?: boolean
  readonly authorization_response_iss_parameter_supported?: boolean
  readonly client_id_metadata_document_supported?: boolean
  readonly scopes_supported?: string[]
  readonly response_types_supported?: string[]
  readonly grant_types_supported?: string[]
  readonly token_endpoint_auth_methods_supported?: string[]
  readonly token_endpoint_auth_signing_alg_values_supported?: string[]
  readonly id_token_signing_alg_values_supported?: string[]
  readonly dpop_signing_alg_values_supported?: string[]
  readonly camara_dpop_claims_required?: string[]
}

const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'registration_endpoint',
  'revocation_endpoint',
  'pushed_authorization_request_endpoint',
] as const

const LISTS = [
  'code_challenge_methods_supported',
  'scopes_supported',
  'response_types_supported',
  'grant_types_supported',
  'token_endpoint_auth_methods_supported',
  'token_endpoint_auth_signing_alg_values_supported',
  'id_token_signing_alg_values_supported',
  'dpop_signing_alg_values_supported',
  'camara_dpop_claims_required',
] as const

const FLAGS = [
  'require_pushed_authorization_requests',
  'authorization_response_iss_parameter_supported',
  'client_id_metadata_document_supported',
] as const

/** Well-known locations of metadata: RFC 8414 section 3.1, and OpenID Connect Discovery section 4. */
export type WellKnown = 'oauth2' | 'oidc'

export interface MetadataSource {
  issuer: string
  /** Members of the operator profile: they complete and override the published members. */
  overrides?: Readonly<Record<string, unknown>> | undefined
  /** The documents to request, in this order. */
  wellKnown: readonly WellKnown[]
}

/** The error of an address without a document of the issuer. */
interface PassedOver {
  error: NorthkeyError
  /**
   * Whether a document may be there all the same: the server failed, or published the document of another issuer. The
   * overrides do not stand in for such a document.
   */
  mayBePublished: boolean
}

/**
 * Returns the metadata of one issuer. For a server that publishes none, the overrides are all.
 * @throws NorthkeyError that says what each address answered. An address that does not answer at all ends the search.
 * @see RFC 8414 sections 3 and 3.3
 */
export async function discoverMetadata(
  source: MetadataSource,
  effects: Effects,
): Promise<ServerMetadata> {
  const issuer = requireIssuer(source.issuer, effects)
  const overrides = dropNullMembers({ ...source.overrides })
  const passedOver: PassedOver[] = []
  for (const algorithm of source.wellKnown) {
    const found = await requestMetadata(issuer, source.issuer, algorithm, effects).catch(
      (error: unknown) => {
        throw error instanceof NorthkeyError ? describeSearch(passedOver, error) : error
      },
    )
    if ('document' in found) {
      return checkMetadata({ ...found.document, ...overrides }, source.issuer, effects)
    }
    passedOver.push(found)
  }
  const mayBePublished = passedOver.some((address) => address.mayBePublished)
  if (source.overrides === undefined || mayBePublished) throw describeSearch(passedOver)
  return checkMetadata(overrides, source.issuer, effects)
}

/** Codes of addresses that were passed over. The first of them that occurs is the code of the search. */
const SEARCH_CODES: readonly NorthkeyErrorCode[] = [
  'issuer_mismatch',
  'network_error',
  'invalid_response',
  'invalid_metadata',
]

/**
 * Makes one error of what the addresses answered.
 * @param end The error that ended the search, if an address did not answer.
 */
function describeSearch(passedOver: readonly PassedOver[], end?: NorthkeyError): NorthkeyError {
  const errors = [...passedOver.map(({ error }) => error), ...(end === undefined ? [] : [end])]
  const code =
    end?.code ?? SEARCH_CODES.find((candidate) => errors.some((error) => error.code === candidate))
  const answers = errors.map(({ message }) => message).join('; ')
  const message =
    end === undefined && code === 'invalid_metadata'
      ? `the server publishes no metadata, and the operator profile has none: ${answers}`
      : answers
  const cause = end ?? errors.find((error) => error.code === code)
  const { httpStatus, retryAfterSeconds } = cause ?? {}
  return new NorthkeyError(code ?? 'invalid_metadata', message, {
    httpStatus,
    retryAfterSeconds,
    cause,
  })
}

/** Checks an issuer identifier: https, no query, no fragment. @see RFC 8414 section 2 */
export function requireIssuer(
  issuer: string,
  effects: Pick<Effects, 'allowInsecureLoopback'>,
): URL {
  const url = requireSecureUrl(issuer, 'issuer', effects)
  if (issuer.includes('?') || issuer.includes('#')) {
    throw new NorthkeyError('invalid_metadata', '"issuer" must have no query and no fragment')
  }
  return url
}

/**
 * Requests the document at one address.
 * @throws NorthkeyError where the address does not answer, or asks to wait (429).
 */
async function requestMetadata(
  url: URL,
  issuer: string,
  algorithm: WellKnown,
  effects: Effects,
): Promise<{ document: JsonObject } | PassedOver> {
  let endpoint = 'metadata endpoint'
  const nameEndpoint = (address: string) => {
    endpoint = `metadata endpoint ${address}`
    return endpoint
  }
  try {
    const response = await sendByLibrary(
      (send) =>
        discoveryRequest(url, {
          algorithm,
          [allowInsecureRequests]: effects.allowInsecureLoopback === true,
          [customFetch]: send,
        }),
      nameEndpoint,
      effects,
    )
    if (response.status !== 200) return judgeStatus(response, endpoint, effects.now())
    const document = readJsonObject(response, endpoint)
    if (document.issuer === issuer) return { document }
    const message = `the "issuer" at the ${endpoint} must be the issuer asked${describeStated(document.issuer)}`
    const error = new NorthkeyError('issuer_mismatch', message)
    return { error, mayBePublished: typeof document.issuer === 'string' }
  } catch (error) {
    // Only an answer has this code: a redirect, or a body that is too large or no JSON object.
    if (!(error instanceof NorthkeyError) || error.code !== 'invalid_response') throw error
    return { error, mayBePublished: false }
  }
}

/** The issuer that a document states, if it is a URL. */
function describeStated(issuer: unknown): string {
  const stated = sanitizeServerText(issuer)
  return stated !== undefined && URL.canParse(stated) ? `, and it is ${stated}` : ''
}

function judgeStatus(response: ServerResponse, endpoint: string, now: number): PassedOver {
  const error = errorFromResponse(response, endpoint, now)
  if (error.code === 'rate_limited') throw error
  const mayBePublished = error.code === 'network_error'
  if (mayBePublished || response.status < 400) return { error, mayBePublished }
  // Servers answer a request for an unknown path with various client errors: there is no such document.
  return { error: new NorthkeyError('invalid_metadata', error.message), mayBePublished }
}

/**
 * Checks the members that the flow uses, and drops all others.
 * @see RFC 8414 section 2, RFC 7636 section 4.2
 */
export function checkMetadata(
  members: Readonly<Record<string, unknown>>,
  issuer: string,
  effects: Pick<Effects, 'allowInsecureLoopback'>,
): ServerMetadata {
  const checked: Record<string, unknown> = { issuer }
  for (const name of ENDPOINTS) {
    if (members[name] === undefined) continue
    const url = requireSecureUrl(members[name], name, effects)
    if (url.hash !== '') throw invalidMember(name, 'a URL without a fragment')
    checked[name] = members[name]
  }
  for (const name of LISTS) {
    const value = members[name]
    if (value === undefined) continue
    const strings = Array.isArray(value) && value.every((item) => typeof item === 'string')
    if (!strings) throw invalidMember(name, 'an array of strings')
    checked[name] = value
  }
  for (const name of FLAGS) {
    if (members[name] === undefined) continue
    if (typeof members[name] !== 'boolean') throw invalidMember(name, 'a boolean')
    checked[name] = members[name]
  }
  const metadata = checked as unknown as ServerMetadata
  if (metadata.authorization_endpoint === undefined) {
    throw invalidMember('authorization_endpoint', 'present')
  }
  if (!metadata.code_challenge_methods_supported?.includes('S256')) {
    throw new NorthkeyError(
      'pkce_unsupported',
      'the metadata of the server must offer S256 in "code_challenge_methods_supported"; for a server that ' +
        'supports S256 and does not say so, "metadata" of the operator profile must have that member',
    )
  }
  if (metadata.response_types_supported?.includes('code') === false) {
    throw invalidMember('response_types_supported', 'a list that has "code"')
  }
  return metadata
}

function invalidMember(name: string, expectation: string): NorthkeyError {
  return new NorthkeyError('invalid_metadata', `metadata member "${name}" must be ${expectation}`)
}

/** Endpoints of another origin than the issuer's. They are allowed; an operator may want to review them. */
export function foreignEndpoints(metadata: ServerMetadata): string[] {
  const { origin } = new URL(metadata.issuer)
  return ENDPOINTS.filter((name) => {
    const endpoint = metadata[name]
    return endpoint !== undefined && new URL(endpoint).origin !== origin
  })
}

/** The URL of a required endpoint. It is checked again, since a stored snapshot is not trusted more than a new one. */
export function requireEndpoint(
  metadata: ServerMetadata,
  name: (typeof ENDPOINTS)[number],
  effects: Pick<Effects, 'allowInsecureLoopback'>,
): URL {
  const endpoint = metadata[name]
  if (endpoint === undefined) {
    throw new NorthkeyError(
      'unsupported_by_server',
      `the server offers no "${name}", and "metadata" of the operator profile has none`,
    )
  }
  return requireSecureUrl(endpoint, name, effects)
}
