/**
 * Stores the pending flows, sealed. A flow has a record before its window opens, and a step that must
 * not be repeated is recorded before it is taken. So a worker that starts again can finish or fail each
 * flow that it finds.
 *
 * The states are a discriminated union: each state has only the data that it needs.
 */

import type { AwaitingAuthorizationResponse, RedeemableFlow } from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import type { ApiAccess, Mode } from '../../../shared/messages/page-api.ts'
import type { Lifetime } from '../../../shared/messages/screen-channel.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'

/** The request of the page, which does not change during the flow. */
export interface ConnectRequest {
  issuer: string
  /** Absent until the broker has registered a client for this origin. */
  clientId?: string
  apis: ApiAccess[]
  mode: Mode
  reason?: string
  loginHint?: string
  /** Authentication that an API requires. @see RFC 9470 section 3 */
  acrValues?: string
  maxAge?: number
}

export interface FlowBase {
  flowId: string
  /** The page's call that waits for the flow. */
  requestId: string
  origin: string
  documentId: string
  pageTabId: number
  applicationName: string
  operatorName: string
  /** When the page's call reached the worker. */
  calledAtMs: number
  createdAtMs: number
  deadlineMs: number
  request: ConnectRequest
  /** The id of the grant that is renewed. Without it, a new grant is created. */
  renews?: string
  /** Whether an authorization without a window is attempted before the sign-in window opens. */
  silentFirst: boolean
}

/** The APIs and the lifetime that the user approved. The APIs may be fewer than requested. */
export interface Approval {
  apis: ApiAccess[]
  /** Absent if a renewed grant keeps its lifetime. */
  lifetime?: Lifetime
  /** End of the grant, where it is not given by the lifetime. Epoch milliseconds. */
  expiresAt?: number
  /** Whether the user approved the whole request in the consent window. Absent where the user was not asked. */
  isWhole?: boolean
}

export type FlowRecord = FlowBase &
  (
    | { status: 'awaitingConsent'; tabId?: number }
    | {
        status: 'preparing'
        approval: Approval
        /** The user approved in the consent window, which is still open if there is a tab. */
        isConsented?: boolean
        tabId?: number | undefined
      }
    | {
        status: 'awaitingAuthorizationResponse'
        approval: Approval
        flow: AwaitingAuthorizationResponse
        tabId: number
      }
    /** The authorization response is accepted, and the code has not been sent yet. The window may still be open. */
    | { status: 'redeemable'; approval: Approval; redeemable: RedeemableFlow; tabId?: number }
    /** The code may have been sent. It is not sent again. */
    | { status: 'redeeming'; approval: Approval; tabId?: number }
    | { status: 'settled'; outcome: Outcome }
  )

export type FlowStatus = FlowRecord['status']
export type FlowIn<S extends FlowStatus> = Extract<FlowRecord, { status: S }>

export const flows = openSealedStore<FlowRecord>('flows')

/** The part of a record that stays the same in each state. */
export function getFlowBase(record: FlowRecord): FlowBase {
  const { flowId, requestId, origin, documentId, pageTabId, applicationName, operatorName } = record
  const { calledAtMs, createdAtMs, deadlineMs, request, renews, silentFirst } = record
  return {
    flowId,
    requestId,
    origin,
    documentId,
    pageTabId,
    applicationName,
    operatorName,
    calledAtMs,
    createdAtMs,
    deadlineMs,
    request,
    silentFirst,
    ...(renews !== undefined && { renews }),
  }
}

/** The tab of the window that a flow has open for the user, if there is one. */
export function getFlowTab(record: FlowRecord): number | undefined {
  return 'tabId' in record ? record.tabId : undefined
}
