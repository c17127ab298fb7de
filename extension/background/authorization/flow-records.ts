/**
 * Pending flows. A flow is a record before its window opens, and each step that cannot be repeated is
 * recorded before it is taken: whatever the worker finds when it wakes up, it can finish or fail.
 */

import type { AwaitingAuthorizationResponse, RedeemableFlow } from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import type { ApiAccess, Mode } from '../../../shared/messages/page-api.ts'
import type { Lifetime } from '../../../shared/messages/screen-channel.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'

/** What the page asked for. It never changes while the flow lasts. */
export interface ConnectRequest {
  issuer: string
  /** Absent until the broker has registered one for this origin. */
  clientId?: string
  apis: ApiAccess[]
  mode: Mode
  reason?: string
  loginHint?: string
  /** What an API asked for. @see RFC 9470 section 3 */
  acrValues?: string
  maxAge?: number
}

export interface FlowBase {
  flowId: string
  /** The call of the page that waits for it. */
  requestId: string
  origin: string
  documentId: string
  pageTabId: number
  applicationName: string
  operatorName: string
  createdAtMs: number
  deadlineMs: number
  request: ConnectRequest
  /** The grant that gets new tokens; without it a new grant is made. */
  renews?: string
  /** Whether an attempt without a window goes first. */
  silentFirst: boolean
}

/** What the user approved, which may be less than what was asked. */
export interface Approval {
  apis: ApiAccess[]
  /** Absent where a grant that is renewed keeps its own. */
  lifetime?: Lifetime
}

export type FlowRecord = FlowBase &
  (
    | { status: 'awaitingConsent'; tabId?: number }
    | { status: 'preparing'; approval: Approval; tabId?: number | undefined }
    | {
        status: 'awaitingAuthorizationResponse'
        approval: Approval
        flow: AwaitingAuthorizationResponse
        tabId: number
      }
    /** The response is accepted; the code has not been sent yet. */
    | { status: 'redeemable'; approval: Approval; redeemable: RedeemableFlow }
    /** The code may have been sent. It is never sent again. */
    | { status: 'redeeming'; approval: Approval }
    | { status: 'settled'; outcome: Outcome }
  )

export type FlowStatus = FlowRecord['status']
export type FlowIn<S extends FlowStatus> = Extract<FlowRecord, { status: S }>

export const flows = openSealedStore<FlowRecord>('flows')

/** What a record keeps from one state to the next: everything but the state's own data. */
export function baseOf(record: FlowRecord): FlowBase {
  const { flowId, requestId, origin, documentId, pageTabId, applicationName, operatorName } = record
  const { createdAtMs, deadlineMs, request, renews, silentFirst } = record
  return {
    flowId,
    requestId,
    origin,
    documentId,
    pageTabId,
    applicationName,
    operatorName,
    createdAtMs,
    deadlineMs,
    request,
    silentFirst,
    ...(renews !== undefined && { renews }),
  }
}

/** The tab in which the user is, if the flow waits for the user. */
export function tabOf(record: FlowRecord): number | undefined {
  return 'tabId' in record ? record.tabId : undefined
}
