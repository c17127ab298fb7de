/**
 * Operator profile, version 1: the configuration that a mobile operator, or the owner of an authorization
 * function, provides for the broker. The JSON Schema beside the page contract is the normative form; input from
 * outside is validated against it before it has this type.
 */

import type { ApiRequest, Mode } from './page-api.ts'

export type ProfileName = 'oauth' | 'capif' | 'camara'
export type ClientAuthentication = 'none' | 'private_key_jwt'
export type Onboarding = 'preregistered' | 'dynamic' | 'client_id_metadata_document'
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface CapifSettings {
  /** `{apiRoot}` of the CAPIF core function (TS 29.222). */
  apiRoot?: string
  /** Encoding of `resOwnerId` in the token request, which 3GPP leaves open. */
  resOwnerId?: 'omit' | 'json' | 'gpsi'
  /** Name of the code in the token request: TS 29.222 says `authCode`, RFC 6749 `code`. */
  authCode?: 'both' | 'authCode' | 'code'
  notifications?: 'websocket' | 'none'
}

export interface OperatorApi {
  /** Base URL of a northbound API; calls go only to URLs under it. */
  resource: string
  name: string
  description?: string
  /** Empty for an API whose requests name no scope: the server states what it grants. @see RFC 6749 section 3.3 */
  scopes: { scope: string; description?: string }[]
  methods?: HttpMethod[]
  purposes?: string[]
  tokenUse?: 'cache' | 'single-use'
}

export interface OperatorApplication {
  clientId: string
  name: string
  /** Exact origins, as `location.origin` prints them. */
  origins: string[]
  /**
   * Whether the broker's own consent window is shown before each grant. Default: true. `false` waives it
   * for what `consentWaiver` declares, and for nothing else.
   */
  requireConsent?: boolean
  consentWaiver?: ConsentWaiver
}

/** Declares the first grant that an application may get without the broker's own consent window. */
export interface ConsentWaiver {
  /** Default: `fetch` alone. */
  modes?: Mode[]
  /** An entry without purpose covers requests without purpose. */
  apis: ApiRequest[]
}

export interface OperatorProfile {
  issuer: string
  name: string
  profile: ProfileName
  /** RFC 8414 members for a server that publishes none, or that override published members. */
  metadata?: Record<string, unknown>
  /**
   * Origin of the authorization endpoint. Default: the origin of `metadata.authorization_endpoint`, or of the
   * issuer. The sign-in window opens no other origin.
   */
  signInOrigin?: string
  /** Further origins of the operator's servers, which the server's own metadata may name. */
  serverOrigins?: string[]
  clientAuthentication?: ClientAuthentication
  /**
   * `aud` of a client assertion: the issuer, the token endpoint, or the endpoint that the request goes to. Default:
   * `issuer` for `oauth`, `endpoint` for `capif` and `camara`. @see RFC 7523 section 3
   */
  assertionAudience?: 'issuer' | 'token_endpoint' | 'endpoint'
  onboarding?: Onboarding
  dpop?: 'never' | 'when_offered' | 'required'
  pushedAuthorizationRequests?: 'when_offered' | 'required' | 'never'
  networkAuthentication?: boolean
  /**
   * Whether each authorization request asks for an ID token, so that each grant knows its subscriber.
   * `when_offered`: if the server's metadata names the scope `openid`. Default: `when_offered` for `capif`,
   * which has no refresh tokens; `never` for `oauth`. The profile `camara` always asks.
   */
  openid?: 'never' | 'when_offered' | 'required'
  /**
   * Whether an authorization request has the scope `offline_access`. `when_offered`: if the server's metadata names
   * it. Default: `never` for `oauth`, `when_offered` for `camara`. `capif` has no refresh tokens.
   * @see OpenID Connect Core section 11
   */
  offlineAccess?: 'never' | 'when_offered'
  /**
   * Whether requests name the resources of their APIs. `when_one`: if a request is for one resource. Default:
   * `when_one` for `oauth`, `never` for `capif` and `camara`. @see RFC 8707 section 2
   */
  resourceIndicators?: 'when_one' | 'always' | 'never'
  modes?: ('fetch' | 'token')[]
  capif?: CapifSettings
  apis: OperatorApi[]
  applications?: OperatorApplication[]
}

/** Size limit of a profile file. */
export const MAX_PROFILE_BYTES = 256 * 1024

export const PROFILE_TOO_LARGE = 'file: expected at most 256 KiB'
