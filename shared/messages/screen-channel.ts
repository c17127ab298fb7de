/** The border between the broker's own screens and its background. Pages have no part in it. */

import type { ApiAccess, Grant, Mode } from './page-api.ts'

/** How long the user allows it: once, until the browser closes, 24 hours, 30 days unused. */
export type Lifetime = 'once' | 'session' | 'day' | 'month'

/** An API that a page asks for, in the operator's words. */
export interface ConsentApi extends ApiAccess {
  name: string
  description?: string
  /** What each scope word lets the application do. */
  scopes: string[]
}

/** One immutable question to the user. */
export interface ConsentRequest {
  flowId: string
  origin: string
  applicationName: string
  operatorName: string
  mode: Mode
  reason?: string
  apis: ConsentApi[]
}

export interface ConnectedSite extends Grant {
  origin: string
  applicationName: string
  operatorName: string
}

export type LogEvent =
  | 'grant'
  | 'token'
  | 'call'
  | 'proof'
  | 'refusal'
  | 'revocation'
  | 'site'
  | 'operator'

export interface LogEntry {
  /** Epoch milliseconds. */
  at: number
  /** The last of `times` equal entries, where there is more than one. */
  until?: number
  times?: number
  event: LogEvent
  outcome: string
  origin?: string
  issuer?: string
  mode?: Mode
  apis?: ApiAccess[]
}

export interface ScreenMethods {
  getConsentRequest: { params: { flowId: string }; result: ConsentRequest | null }
  /** `apis` names the resources that the user leaves in. */
  approve: { params: { flowId: string; apis: string[]; lifetime: Lifetime }; result: undefined }
  deny: { params: { flowId: string }; result: undefined }
  listGrants: { params: Record<string, never>; result: ConnectedSite[] }
  revokeGrant: { params: { grantId: string }; result: undefined }
}

export type ScreenMethod = keyof ScreenMethods

export interface ScreenRequest<M extends ScreenMethod = ScreenMethod> {
  type: 'screenRequest'
  method: M
  params: ScreenMethods[M]['params']
}
