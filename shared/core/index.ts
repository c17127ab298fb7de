/**
 * Public interface of the core: the client side of an authorization, for a worker, a page or Node.
 *
 *     const metadata = await discover(server, effects)
 *     const { flow, authorizationUrl } = await beginAuthorization({ server, metadata, … }, effects)
 *     // store `flow`, open `authorizationUrl`, wait for the redirect
 *     const redeemable = receiveAuthorizationResponse(flow, url, effects.now())
 *     // store transition(redeemable, { type: 'codeSent', now })
 *     const tokens = await redeemCode(redeemable, effects)
 *
 * Every failure is a {@link NorthkeyError}.
 */

export { type TokenType, UNSTATED_EXPIRY_MS } from '../oauth/access-token-response.ts'
export type { Prompt } from '../oauth/authorization-request.ts'
export { judgeChallenges, parseChallenges, type ResourceDemand } from '../oauth/challenge.ts'
export { type ClientKey, clientKeyId } from '../oauth/client-authentication.ts'
export {
  type ClientDocument,
  type ClientDocumentRequest,
  fetchClientDocument,
  requireClientIdUrl,
} from '../oauth/client-id-metadata-document.ts'
export type { RegisteredClient } from '../oauth/client-registration.ts'
export {
  createDpopKey,
  createDpopProof,
  type DpopKey,
  dpopThumbprint,
  type NonceStore,
} from '../oauth/dpop.ts'
export type { Effects } from '../oauth/effects.ts'
export {
  isNorthkeyError,
  NORTHKEY_ERROR_CODES,
  NorthkeyError,
  type NorthkeyErrorCode,
  type NorthkeyErrorObject,
} from '../oauth/error.ts'
export type { IdTokenClaims } from '../oauth/id-token.ts'
export { dropKeySet } from '../oauth/jwks.ts'
export { createJwksStore, type JwksStore } from '../oauth/jwks-store.ts'
export { foreignEndpoints, type ServerMetadata } from '../oauth/metadata.ts'
export { type ResourceRequest, requestResource } from '../oauth/resource-request.ts'
export { isScope, requireScope } from '../oauth/scope.ts'
export { camaraProofClaims } from '../profiles/camara.ts'
export {
  type CamaraReaction,
  camaraErrorCode,
  camaraReaction,
  requireNoIdentifier,
} from '../profiles/camara-call.ts'
export {
  parseSecurityNotification,
  type SecurityNotification,
} from '../profiles/capif-notification.ts'
export {
  type CapifScope,
  capifScopeAllows,
  formatCapifScope,
  parseCapifScope,
} from '../profiles/capif-scope.ts'
export {
  aefOffersPkce,
  type CapifNegotiation,
  capifDiscoveryQuery,
  capifServiceSecurity,
  readServiceSecurity,
} from '../profiles/capif-security.ts'
export { profileOf } from '../profiles/index.ts'
export type { Profile, ServerConfig } from '../profiles/profile.ts'
export {
  type BeginAuthorization,
  type BegunAuthorization,
  beginAuthorization,
} from './begin-authorization.ts'
export { checkApis, checkAuthorization, type PlannedAuthorization } from './check-authorization.ts'
export { discover } from './discover.ts'
export { toProviderError } from './error-mapping.ts'
export {
  type AuthorizedFlow,
  type AwaitingAuthorizationResponse,
  type AwaitingRequestUri,
  type AwaitingTokenResponse,
  type CodeSent,
  type Failed,
  type FailedFlow,
  type FlowContext,
  type FlowEvent,
  type FlowState,
  type RedeemableFlow,
  type RedirectReceived,
  type RequestUriReceived,
  type Resumed,
  type TokenSet,
  type TokensReceived,
  transition,
} from './flow.ts'
export { grantedApis } from './granted-apis.ts'
export { negotiateSecurity } from './negotiate-security.ts'
export {
  type CodeChallenge,
  type CodeVerifier,
  codeChallengeOf,
  createPkcePair,
  type PkcePair,
  randomValue,
} from './pkce.ts'
export {
  authorizationResponseState,
  receiveAuthorizationResponse,
} from './receive-authorization-response.ts'
export { type FlowKeys, type RedeemOptions, redeemCode } from './redeem-code.ts'
export { redirectUriFor } from './redirect-uri.ts'
export type { WantedScope } from './refresh-scope.ts'
export { type RefreshTokens, refreshTokens } from './refresh-tokens.ts'
export { type RegisterClient, registerClient } from './register-client.ts'
export { registrationScope } from './request-contents.ts'
export { type RevokeToken, revokeToken } from './revoke-token.ts'
export { requireDistinctIssuers } from './servers.ts'
