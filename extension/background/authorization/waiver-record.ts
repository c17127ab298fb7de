/**
 * Records what the user's answer in the consent window does to the operator's waiver (`consent-waiver.ts`
 * decides it). A profile without a waiver for the application leaves no record.
 */

import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { restoreWaiver, withdrawWaiver } from '../grants/withdrawn-waivers.ts'
import { findApplication, findOperator } from '../operators/operators.ts'
import { judgeWaiver } from './consent-waiver.ts'
import type { FlowBase } from './flow-records.ts'

/** @param approved APIs that the user approved. None: the user denied the request. */
export async function recordConsentAnswer(
  { origin, request }: Pick<FlowBase, 'origin' | 'request'>,
  approved: ApiAccess[],
): Promise<void> {
  const { issuer, clientId } = request
  const operator = await findOperator(issuer)
  const application = operator && findApplication(operator, origin, clientId)
  if (!application) return
  const effect = judgeWaiver(application, request, approved)
  if (effect === 'withdraw') await withdrawWaiver({ issuer, origin })
  else if (effect === 'restore') await restoreWaiver(issuer, origin)
}
