/** Types of the state of the page. Each variant contains only its own data. */

import type { ProviderInfo } from '../../../shared/messages/page-api.ts'
import type { Broker } from '../broker.ts'
import type { Failure } from './failure.ts'

export type BrokerState =
  | { kind: 'searching' }
  | { kind: 'missing' }
  | { kind: 'found'; broker: Broker; info: Readonly<ProviderInfo> }
  | { kind: 'gone' }

/** Running activity of the page; there is at most one. */
export type Activity = 'connect' | 'boost' | 'list' | 'end' | 'disconnect'

export interface FailedActivity {
  activity: Activity
  failure: Failure
}

/** Message about an event that the page did not cause. */
export interface Notice {
  tone: 'info' | 'warning'
  text: string
}
