/** Records as the background keeps them, for tests that begin in the middle. */

import type { FlowBase } from '../../extension/background/flows.ts'
import type { GrantRecord } from '../../extension/background/grants.ts'

export const ORIGIN = 'https://app.example'
export const ISSUER = 'https://as.example'
const APIS = [{ resource: 'https://api.example/v1', scope: 'qos:create' }]

export function flowOf(members: Partial<FlowBase> = {}): FlowBase {
  const createdAtMs = Date.now()
  return {
    flowId: crypto.randomUUID(),
    requestId: crypto.randomUUID(),
    origin: ORIGIN,
    documentId: 'document',
    pageTabId: 1,
    applicationName: 'App',
    operatorName: 'Operator',
    createdAtMs,
    deadlineMs: createdAtMs + 600_000,
    silentFirst: false,
    request: { issuer: ISSUER, clientId: 'client', mode: 'fetch', apis: APIS },
    ...members,
  }
}

export function grantOf(members: Partial<GrantRecord> = {}): GrantRecord {
  const createdAt = Date.now()
  return {
    grantId: crypto.randomUUID(),
    origin: ORIGIN,
    issuer: ISSUER,
    clientId: 'client',
    applicationName: 'App',
    operatorName: 'Operator',
    mode: 'fetch',
    apis: APIS,
    subject: 'subject',
    tokenType: 'Bearer',
    lifetime: 'day',
    session: 'session',
    createdAt,
    expiresAt: createdAt + 86_400_000,
    ...members,
  }
}
