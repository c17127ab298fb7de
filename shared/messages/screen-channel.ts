/** Types the messages between the broker's own screens and its background. Pages do not use this channel. */

import type { OperatorProfile } from './operator-profile.ts'
import type { ApiAccess, Grant, Mode } from './page-api.ts'

/**
 * Lifetime of a grant. `once`: this task. `session`: this browser session. `month`: until 30 days without use.
 * `brief`: seconds, which the development build offers alone.
 */
export type Lifetime = 'once' | 'session' | 'day' | 'month' | 'brief'

/** One word of a scope, with a description of what it permits. */
export interface ScopeInWords {
  scope: string
  description?: string
}

/** A requested API, with the operator's descriptions. `scopes` is empty for a request without scope. */
export interface ConsentApi extends ApiAccess {
  name: string
  description?: string
  scopes: ScopeInWords[]
}

/** One immutable consent request to the user. */
export interface ConsentRequest {
  /** Identifies what the user decides on. `approve` sends it back. */
  digest: string
  flowId: string
  origin: string
  applicationName: string
  operatorName: string
  issuer: string
  /** Host that the sign-in window opens. */
  signInHost: string
  mode: Mode
  reason?: string
  apis: ConsentApi[]
}

/** The part of one requested API that the user approves. An API that the user does not approve has none. */
export interface ApprovedApi {
  /** Index of the API in the request. */
  index: number
  /** The approved scope words. Empty for an API that was requested without scope. */
  scopes: string[]
}

export interface ConnectedSite extends Grant {
  origin: string
  applicationName: string
  operatorName: string
  lifetime: Lifetime
}

/** Source of a profile: browser policy, a file that the user imported, or the demonstration. */
export type OperatorSource = 'policy' | 'file' | 'demo'

/** Use of a server: `authorization` is one that the profile names without its use. */
export type ServerUse =
  | 'issuer'
  | 'signIn'
  | 'tokens'
  | 'keys'
  | 'requests'
  | 'registration'
  | 'revocation'
  | 'capif'
  | 'authorization'
  | 'api'

/** A server that the broker may send requests to, or that the sign-in window opens. */
export interface OperatorServer {
  origin: string
  uses: ServerUse[]
  /** Whether the origin is another than the issuer's. */
  isForeign: boolean
}

/** Origins to add to a profile, as its members of the same names. */
export interface ServerAdditions {
  signInOrigin?: string
  serverOrigins: string[]
}

/** Servers that an operator's metadata name and its profile does not. The broker does not use them. */
export interface UnnamedServers {
  additions: ServerAdditions
  /** Match patterns for `permissions.request`. */
  permissions: string[]
}

/** What a file changes in a profile. `name` is that of the server, API, application or member of the profile. */
export interface ProfileChange {
  subject: 'server' | 'api' | 'application' | 'member'
  kind: 'added' | 'removed' | 'changed'
  name: string
  /** Members that differ in what is changed. */
  members?: string[]
}

/** The profile that a file replaces. */
export interface ReplacedOperator {
  profile: OperatorProfile
  source: OperatorSource
  changes: ProfileChange[]
  /** Origins whose grants the change concerns: they end. */
  endingOrigins: string[]
}

/** A profile that may be added, with all of its servers and their match patterns. */
export interface AcceptedOperator {
  profile: OperatorProfile
  servers: OperatorServer[]
  permissions: string[]
  /** There if the profile replaces another one. */
  replaces?: ReplacedOperator
}

/** Redirect URI of the broker for one issuer, in each browser. */
export interface RedirectUris {
  chromium: string
  firefox: string
}

export interface KnownOperator extends AcceptedOperator {
  source: OperatorSource
  redirectUris: RedirectUris
  /** Match patterns without a host permission of the browser yet. */
  unreachable: string[]
  unnamed?: UnnamedServers
}

/** A profile that is stored but rejected, with the reasons. */
export interface RejectedOperator {
  source: OperatorSource
  /** As far as it can be read from the profile. */
  name: string
  /** As far as they can be read from the profile. */
  issuer?: string
  origins: string[]
  reasons: string[]
}

/** A key of the browser's policy that has come. */
export interface PolicyKey {
  key: string
  /** Number of profiles; absent if the value is no list. */
  profiles?: number
}

export interface OperatorList {
  operators: KnownOperator[]
  rejected: RejectedOperator[]
  /** What the browser's policy has brought. Empty without a policy. */
  policy: PolicyKey[]
}

/** Sent to the open screens when the operators have changed. */
export interface OperatorsChanged {
  type: 'operatorsChanged'
}

export type OperatorCheck =
  | (AcceptedOperator & { reasons?: never })
  | { reasons: string[]; profile?: never }

/**
 * A profile with the servers that the operator's metadata name. `undiscovered` is the cause if the metadata could not
 * be read.
 */
export type OperatorDiscovery =
  | (AcceptedOperator & { undiscovered?: string; reasons?: never })
  | { reasons: string[]; profile?: never }

/**
 * `on`: pages of this origin find the broker. `always`: loopback, in a development build.
 * `unfit`: pages of this kind may not use it. `container`: the tab is in a container of Firefox, where the
 * broker does not run.
 */
export type SiteState = 'on' | 'off' | 'always' | 'unfit' | 'container'

export interface Site {
  origin: string
  state: SiteState
  /** Operators whose profile lists this origin for an application. */
  operators: string[]
  /** Origins for `permissions.request`: the site, and the servers of these operators. */
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
  /** Time of the last of `times` equal entries, if there are several. */
  until?: number
  times?: number
  event: LogEvent
  outcome: string
  /** Cause of a failure: endpoint, status and error of a server, or a rule of the broker. */
  detail?: string
  origin?: string
  issuer?: string
  mode?: Mode
  apis?: ApiAccess[]
}

type Nothing = Record<string, never>

export interface ScreenMethods {
  getConsentRequest: { params: { flowId: string }; result: ConsentRequest | null }
  /**
   * APIs and scopes outside of `apis` are not granted; nothing can be added to the page's request. `digest` is
   * that of the request that the window shows: a flow whose operator has changed since ends.
   */
  approve: {
    params: { flowId: string; digest: string; apis: ApprovedApi[]; lifetime: Lifetime }
    result: undefined
  }
  deny: { params: { flowId: string }; result: undefined }
  listGrants: { params: Nothing; result: ConnectedSite[] }
  revokeGrant: { params: { grantId: string }; result: undefined }
  listOperators: { params: Nothing; result: OperatorList }
  /** Checks the text of a profile file and stores nothing. */
  checkOperator: { params: { text: string }; result: OperatorCheck }
  /** Reads the operator's metadata and adds the servers that they name to the profile. Stores nothing. */
  discoverOperator: { params: { text: string }; result: OperatorDiscovery }
  /**
   * Adds a profile, after the user has confirmed all of its servers. It is rejected while the browser has not given
   * the permission for each of them.
   */
  addOperator: {
    params: {
      text: string
      /** The profile that the user has seen as the one that is replaced. Another one is not replaced. */
      replacing?: OperatorProfile
    }
    result: OperatorCheck
  }
  /** Adds servers that the user has confirmed to an imported profile, under the same condition. */
  addServers: {
    params: { issuer: string; additions: ServerAdditions }
    result: OperatorCheck
  }
  /** The result has the host permissions that were removed with it. */
  removeOperator: { params: { issuer: string }; result: { permissions: string[] } }
  getSite: { params: { origin: string; tabId?: number }; result: Site }
  listSites: { params: Nothing; result: Site[] }
  /**
   * Announces a question of the browser for host permissions, during which the browser may close the screen.
   * With a site, the site is switched on if the answer is yes. It ends the question before.
   */
  openPermissionRequest: {
    params: { permissions: string[]; site?: { origin: string; tabId?: number } }
    result: undefined
  }
  /** Ends the question: the user has answered it with no. */
  endPermissionRequest: { params: Nothing; result: undefined }
  /** Switches the site on, after the permission was granted. */
  useSite: { params: { origin: string; tabId?: number }; result: Site }
  stopSite: { params: { origin: string }; result: Site }
  readLog: { params: Nothing; result: LogEntry[] }
  clearLog: { params: Nothing; result: undefined }
}

export type ScreenMethod = keyof ScreenMethods

/**
 * Answer of the background. An answer without a result is an object, too: a browser gives `undefined` for the answer
 * of a worker that it stopped.
 */
export type ScreenAnswer<T = unknown> = { result: T } | { error: string }

export interface ScreenRequest<M extends ScreenMethod = ScreenMethod> {
  type: 'screenRequest'
  method: M
  params: ScreenMethods[M]['params']
}
