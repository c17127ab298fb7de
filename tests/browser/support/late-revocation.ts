/** Runs a revocation that the operator rejects at first, and its second attempt. */

import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import type { LogEntry } from '../../../demo-site/network/index.ts'
import { ERROR_CODE, type Grant, type RevokeResult } from '../../../shared/messages/page-api.ts'
import { subscriptionsUrl } from './api-calls.ts'
import { until } from './pages.ts'
import { call, formOf, type Stage } from './stage.ts'
import type { WorkerSwitch } from './worker.ts'

export const revocationRequests = ({ network }: Stage): LogEntry[] =>
  network.log.filter({ method: 'POST', path: /revocation$/ })

/** Expects that the page has no grant and that its calls are not served. */
export async function expectRevoked(page: Page, granted: Grant): Promise<void> {
  expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  const { error } = await call(page, 'northbound_fetch', { url: subscriptionsUrl(granted) })
  expect(error?.code).toBe(ERROR_CODE.noGrant)
}

/** Revokes a grant while the operator answers 503, stops the worker, and waits for the successful attempt. */
export async function revokeLate(
  stage: Stage,
  page: Page,
  granted: Grant,
  worker: WorkerSwitch,
  patienceMs?: number,
): Promise<void> {
  const { grantId } = granted
  const { faults } = stage.network
  const fault = faults.add({
    path: '*revocation',
    action: { type: 'status', status: 503, headers: { 'retry-after': '1' } },
  })
  const { result } = await call<RevokeResult>(page, 'northbound_revoke', { grantId })
  expect(result).toEqual({ revoked: [], pending: [grantId] })
  await expectRevoked(page, granted)
  const [first] = revocationRequests(stage)
  expect(first?.status).toBe(503)
  faults.remove(fault)
  await worker.stop()
  const succeeded = () => revocationRequests(stage).find(({ status }) => status === 200)
  const second = await until('the second attempt', async () => succeeded(), patienceMs)
  expect(formOf(second).token).toBe(formOf(first).token)
}
