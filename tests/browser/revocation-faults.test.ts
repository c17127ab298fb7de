/**
 * Revocations that the authorization function does not hear at once: what was granted is over here all
 * the same, and is told there later. @see RFC 7009 section 2.2.1
 *
 * Seen to fail when a revocation whose server could not be reached is not kept (C15), and when one that
 * the server will never want is (C17).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant, type RevokeResult } from '../../shared/messages/page-api.ts'
import { gesture, startQuietStage } from './support/known-subscriber.ts'
import { until } from './support/pages.ts'
import { BROWSERS, call, formOf, type Stage } from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

/** Longer than the pause before the second attempt. */
const PATIENCE_MS = 75_000

describe.each(BROWSERS)('in %s, a revocation', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name))
  })
  afterAll(() => stage?.close())

  const told = () => stage.network.log.filter({ method: 'POST', path: /revocation$/ })

  async function grant(): Promise<string> {
    await gesture(page)
    const { result } = await call<Grant>(page, 'northbound_connect', stage.wish())
    return result?.grantId ?? ''
  }

  async function expectNothingLeft(): Promise<void> {
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    const { error } = await call(page, 'northbound_fetch', { url })
    expect(error?.code).toBe(ERROR_CODE.noGrant)
  }

  test('C17: where the server has no endpoint for it, the grant ends here, and nothing is pending', async () => {
    const grantId = await grant()
    const { result } = await call<RevokeResult>(page, 'northbound_revoke', { grantId })
    expect(result).toEqual({ revoked: [grantId], pending: [] })
    expect(told()).toEqual([])
    await expectNothingLeft()
  })

  test(
    'C15: after a 503 the grant is over at once, and the server is told later, whatever happens to the worker',
    async () => {
      // The stage has kept the endpoint from the broker until now.
      stage.network.faults.clear()
      const id = stage.network.faults.add({
        path: '*revocation',
        action: { type: 'status', status: 503, headers: { 'retry-after': '1' } },
      })
      const grantId = await grant()
      const { result } = await call<RevokeResult>(page, 'northbound_revoke', { grantId })
      expect(result).toEqual({ revoked: [], pending: [grantId] })
      await expectNothingLeft()
      const [first] = told()
      expect(first?.status).toBe(503)
      stage.network.faults.remove(id)
      const worker = await workerSwitch(stage)
      await worker.stop()
      await worker.close()
      await until('the second attempt', async () => told()[1]?.status === 200, PATIENCE_MS)
      expect(formOf(told()[1]).token).toBe(formOf(first).token)
    },
    PATIENCE_MS + 30_000,
  )
})
