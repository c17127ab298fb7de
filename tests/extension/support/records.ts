/** Records as the background keeps them, for tests that begin in the middle. */

import type { FlowBase } from '../../../extension/background/authorization/flow-records.ts'
import type { GrantRecord } from '../../../extension/background/grants/grants.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'

export const ORIGIN = 'https://app.example'
export const ISSUER = 'https://as.example'
const RESOURCE = 'https://api.example/v1'
const APIS = [{ resource: RESOURCE, scope: 'qos:create' }]

export const OPERATOR: OperatorProfile = {
  issuer: ISSUER,
  name: 'Operator',
  profile: 'oauth',
  apis: [{ resource: RESOURCE, name: 'Quality', scopes: [{ scope: 'qos:create' }] }],
  applications: [{ clientId: 'client', name: 'App', origins: [ORIGIN] }],
}

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
    calledAtMs: createdAtMs,
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
    subscriber: 'unidentified',
    createdAt,
    expiresAt: createdAt + 86_400_000,
    ...members,
  }
}
