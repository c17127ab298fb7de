/**
 * Describes the subscriptions of the first northbound API (TS 29.122 AsSessionWithQoS) at its server: their
 * path, a valid body, faults, and the received requests.
 */

import type { FaultAction, LogEntry, Network } from '../../../demo-site/network/index.ts'

const API_SERVER = 'api-exposing-functions'

export const SUBSCRIPTIONS = '/3gpp-as-session-with-qos/v1/cloud-gaming/subscriptions'

interface WithNetwork {
  network: Network
}

/** Builds a subscription as JSON. `note` is a part of its notification address. */
export const subscription = (note = ''): string =>
  JSON.stringify({
    notificationDestination: `https://unused.invalid/${note}`,
    qosReference: 'QOS_L',
    flowInfo: [{ flowId: 1, flowDescriptions: ['permit in ip from any to any'] }],
  })

/** The requests that reached the API exposing functions. */
export const apiRequests = ({ network }: WithNetwork): LogEntry[] =>
  network.log.filter({ server: API_SERVER })

/** Adds a fault to requests for the subscriptions: to all of them, or to the next `times` requests. */
export function addApiFault({ network }: WithNetwork, action: FaultAction, times?: number): void {
  network.faults.add({
    server: API_SERVER,
    path: SUBSCRIPTIONS,
    action,
    ...(times !== undefined && { times }),
  })
}
