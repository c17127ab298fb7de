/** The border between the broker's own screens and its background. Pages have no part in it. */

import type { OperatorProfile } from './operator-profile.ts'
import type { ApiAccess, Grant, Mode } from './page-api.ts'

/** `once`: this task. `session`: this browser session. `month`: 30 days without use end it. */
export type Lifetime = 'once' | 'session' | 'day' | 'month'

/** One word of a scope, and what it lets the application do. */
export interface ScopeInWords {
  scope: string
  description?: string
}

/** An API that a page asks for, in the operator's words. */
export interface ConsentApi extends ApiAccess {
  name: string
  description?: string
  scopes: ScopeInWords[]
}

/** One immutable question to the user. */
export interface ConsentRequest {
  flowId: string
  origin: string
  applicationName: string
  operatorName: string
  issuer: string
  mode: Mode
  reason?: string
  apis: ConsentApi[]
}

/** What the user leaves of one API that was asked for. */
export interface ApprovedApi {
  /** Its place in the request. */
  index: number
  /** The scope words that stay. */
  scopes: string[]
}

export interface ConnectedSite extends Grant {
  origin: string
  applicationName: string
  operatorName: string
  lifetime: Lifetime
}

/** Where a profile comes from: browser policy, a file that the user imported, or the demonstration. */
export type OperatorSource = 'policy' | 'file' | 'demo'

export interface KnownOperator {
  profile: OperatorProfile
  source: OperatorSource
  /** Match patterns that the browser has not let Northkey reach yet. */
  unreachable: string[]
}

/** A profile that is there and not used, with the reasons. */
export interface RefusedOperator {
  source: OperatorSource
  /** As far as it can be told. */
  name: string
  reasons: string[]
}

export interface OperatorList {
  operators: KnownOperator[]
  refused: RefusedOperator[]
}

export type OperatorCheck =
  | { profile: OperatorProfile; permissions: string[]; reasons?: never }
  | { reasons: string[]; profile?: never }

/**
 * `on`: pages of this origin find the broker. `always`: loopback, in a development build.
 * `unfit`: no page of a kind that may use it.
 */
export type SiteState = 'on' | 'off' | 'always' | 'unfit'

export interface Site {
  origin: string
  state: SiteState
  /** Operators that name this origin as an application's. */
  operators: string[]
  /** What `permissions.request` has to ask for: the site, and those operators' servers. */
  permissions: string[]
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

type Nothing = Record<string, never>

export interface ScreenMethods {
  getConsentRequest: { params: { flowId: string }; result: ConsentRequest | null }
  /** What is not in `apis` is not granted; nothing can be added to what the page asked for. */
  approve: {
    params: { flowId: string; apis: ApprovedApi[]; lifetime: Lifetime }
    result: undefined
  }
  deny: { params: { flowId: string }; result: undefined }
  listGrants: { params: Nothing; result: ConnectedSite[] }
  revokeGrant: { params: { grantId: string }; result: undefined }
  listOperators: { params: Nothing; result: OperatorList }
  /** Judges a file's text and changes nothing. */
  checkOperator: { params: { text: string }; result: OperatorCheck }
  /** Adds what `checkOperator` found good, after the user's confirmation. */
  addOperator: { params: { text: string }; result: OperatorCheck }
  removeOperator: { params: { issuer: string }; result: undefined }
  getSite: { params: { origin: string }; result: Site }
  listSites: { params: Nothing; result: Site[] }
  /** The user is about to be asked for the permission, which may close the screen that asks. */
  proposeSite: { params: { origin: string; tabId?: number }; result: undefined }
  /** The permission is there. */
  useSite: { params: { origin: string; tabId?: number }; result: Site }
  stopSite: { params: { origin: string }; result: Site }
  readLog: { params: Nothing; result: LogEntry[] }
  clearLog: { params: Nothing; result: undefined }
}

export type ScreenMethod = keyof ScreenMethods

export interface ScreenRequest<M extends ScreenMethod = ScreenMethod> {
  type: 'screenRequest'
  method: M
  params: ScreenMethods[M]['params']
}
