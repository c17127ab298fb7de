/** One operator with two APIs, and what it answers: each test says what. */

import type { FlowBase } from '../../../extension/background/authorization/flow-records.ts'
import type { AuthorizationResult } from '../../../extension/background/grants/authorization-result.ts'
import type { GrantRecord } from '../../../extension/background/grants/grants.ts'
import type {
  AwaitingAuthorizationResponse,
  RedeemableFlow,
  ServerMetadata,
  TokenSet,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { flowOf, grantOf } from './records.ts'

export const ISSUER = 'https://operator.example'
export const A = { resource: 'https://a.example/v1', scope: 'a' }
export const B = { resource: 'https://b.example/v1', scope: 'b' }

export const OPERATOR: OperatorProfile = {
  issuer: ISSUER,
  name: 'Operator',
  profile: 'oauth',
  apis: [
    { resource: A.resource, name: 'A', scopes: [{ scope: 'a' }, { scope: 'a more' }] },
    { resource: B.resource, name: 'B', scopes: [{ scope: 'b' }] },
  ],
}

export const METADATA: ServerMetadata = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  code_challenge_methods_supported: ['S256'],
}

export function tokenSet(more: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: crypto.randomUUID(),
    tokenType: 'Bearer',
    expiresAtMs: Date.now() + 600_000,
    scope: 'a',
    singleUse: false,
    ...more,
  }
}

export const authorized = (more: Partial<TokenSet> = {}): AuthorizationResult => ({
  tokens: tokenSet(more),
  metadata: METADATA,
})

/** A response that has passed: its checks are the core's own affair. */
export const passed = (flow: AwaitingAuthorizationResponse): RedeemableFlow =>
  ({ ...flow, name: 'readyToRedeem', callbackUrl: '' }) as unknown as RedeemableFlow

let origins = 0
/** Each test has an origin of its own, so that none sees the grants of another. */
export const newOrigin = (): string => `https://app-${++origins}.example`

export const grantRecord = (more: Partial<GrantRecord> = {}): GrantRecord =>
  grantOf({
    origin: newOrigin(),
    issuer: ISSUER,
    mode: 'token',
    apis: [A],
    lifetime: 'month',
    expiresAt: Date.now() + 30 * 86_400_000,
    ...more,
  })

export const flowBase = (more: Partial<FlowBase> = {}): FlowBase =>
  flowOf({
    origin: newOrigin(),
    silentFirst: true,
    request: { issuer: ISSUER, clientId: 'client', mode: 'token', apis: [A] },
    ...more,
  })
