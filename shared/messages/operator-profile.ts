/**
 * Operator profile, version 1: the configuration that a mobile operator, or the owner of an authorization
 * function, provides for the broker. The JSON Schema beside the page contract is the normative form; input from
 * outside is validated against it before it has this type.
 */

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
  /** Whether the broker's own consent window is shown before the first grant. Default: true. */
  requireConsent?: boolean
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
  onboarding?: Onboarding
  dpop?: 'never' | 'when_offered' | 'required'
  pushedAuthorizationRequests?: 'when_offered' | 'required' | 'never'
  networkAuthentication?: boolean
  modes?: ('fetch' | 'token')[]
  capif?: CapifSettings
  apis: OperatorApi[]
  applications?: OperatorApplication[]
}

/** Size limit of a profile file. */
export const MAX_PROFILE_BYTES = 256 * 1024

export const PROFILE_TOO_LARGE = 'file: expected at most 256 KiB'
