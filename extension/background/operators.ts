/**
 * The operators that this broker knows. A page names one by its issuer; it can never add one.
 */

import browser from 'webextension-polyfill'
import type {
  OperatorApi,
  OperatorApplication,
  OperatorProfile,
} from '../../shared/messages/operator-profile.ts'

/** Written beside the manifest by whoever starts the demo; a released build has none. */
const DEMO_OPERATORS = 'demo-operators.json'

let known: Promise<OperatorProfile[]> | undefined

async function readDemoOperators(): Promise<OperatorProfile[]> {
  if (!__DEVELOPMENT__) return []
  try {
    const response = await fetch(browser.runtime.getURL(DEMO_OPERATORS))
    return await response.json()
  } catch {
    return []
  }
}

export function listOperators(): Promise<OperatorProfile[]> {
  known ??= readDemoOperators()
  return known
}

export async function findOperator(issuer: string): Promise<OperatorProfile | undefined> {
  return (await listOperators()).find((operator) => operator.issuer === issuer)
}

/** The application that an origin may act as: a client identifier works for its own origins only. */
export function findApplication(
  operator: OperatorProfile,
  origin: string,
  clientId: string | undefined,
): OperatorApplication | undefined {
  return operator.applications?.find(
    (application) =>
      application.origins.includes(origin) &&
      (clientId === undefined || application.clientId === clientId),
  )
}

/** The API at exactly this resource, if the operator has it with every scope asked for. */
export function findApi(
  operator: OperatorProfile,
  resource: string,
  scope: string,
): OperatorApi | undefined {
  const api = operator.apis.find((candidate) => candidate.resource === resource)
  const offered = new Set(api?.scopes.map((entry) => entry.scope))
  return scope.split(' ').every((word) => offered.has(word)) ? api : undefined
}
