/** The states of the page, each with what only it has. */

import type { ProviderInfo } from '../../../shared/messages/page-api.ts'
import type { Broker } from '../broker.ts'
import type { Failure } from './failure.ts'

export type BrokerState =
  | { kind: 'searching' }
  | { kind: 'missing' }
  | { kind: 'found'; broker: Broker; info: Readonly<ProviderInfo> }
  | { kind: 'gone' }

/** What the page is doing; one thing at a time. */
export type Activity = 'connect' | 'boost' | 'list' | 'end' | 'disconnect'

export interface FailedActivity {
  activity: Activity
  failure: Failure
}

/** Something that happened to the page, as against something it did. */
export interface Notice {
  tone: 'info' | 'warning'
  text: string
}
