/**
 * The kill-point sweep: the worker is stopped at every request of a whole flow, before the server has
 * carried it out and again with the answer on its way. Whatever the point, the call settles, a code is
 * sent at most once, and no record and no window stay.
 *
 * Seen to fail, in both browsers, when `resume` leaves a flow that was `redeeming` alone (the call hangs), and when
 * `redeem` does not write its record before it sends (the code is sent twice).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FaultAction } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { gesture, startQuietStage } from './support/known-subscriber.ts'
import { gone, until } from './support/pages.ts'
import { allowAll } from './support/sign-in-window.ts'
import {
  atRedirectHost,
  BROWSERS,
  type Called,
  call,
  databaseText,
  formOf,
  type Stage,
  tokenRequests,
} from './support/stage.ts'
import { type WorkerSwitch, workerSwitch } from './support/worker.ts'

const HELD_MS = 1_500
const SETTLED_MS = 25_000

describe.each(BROWSERS)('in %s, the worker stopped at each request of a flow', (name) => {
  let stage: Stage
  let page: Page
  let worker: WorkerSwitch

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name))
    // With its revocation endpoint back, the operator forgets, and asks the user each time.
    stage.network.faults.clear()
    worker = await workerSwitch(stage)
  })
  afterAll(() => stage?.close())

  async function flowWith(
    path: string | undefined,
    nth: number,
    action: FaultAction,
  ): Promise<{ outcome: Called<Grant>; stoppedAt: string | undefined }> {
    const { log, faults } = stage.network
    log.clear()
    const server = 'authorization-function'
    faults.add({ server, nth, action, ...(path === undefined ? {} : { path }) })
    let outcome: Called<Grant> | undefined
    await gesture(page)
    const running = call<Grant>(page, 'northbound_connect', stage.wish()).then((settled) => {
      outcome = settled
    })
    const user = allowAll(stage)
    let stoppedAt: string | undefined
    try {
      const held = await until('the point, or the end', async () => {
        return log.entries.find(({ fault }) => fault !== undefined) ?? outcome
      })
      if ('path' in held) stoppedAt = `${held.method} ${held.path}`
      if (stoppedAt) await worker.stop()
      await until('the call to settle', async () => outcome, SETTLED_MS)
    } finally {
      faults.clear()
      await user.leave()
    }
    await running
    return { outcome: outcome as Called<Grant>, stoppedAt }
  }

  async function expectInvariants({ result, error }: Called<Grant>, at: string): Promise<void> {
    if (error) {
      expect([ERROR_CODE.unreachable, ERROR_CODE.accessDenied], at).toContain(error.code)
    }
    const codes = tokenRequests(stage).map((entry) => formOf(entry).code)
    expect(new Set(codes).size, at).toBe(codes.length)
    await gone(stage.browser, stage.network.issuer)
    const grants = (await call<Grant[]>(page, 'northbound_getGrants')).result
    expect(grants, at).toEqual(result ? [result] : [])
    await call(page, 'northbound_revoke')
    await until(`no record left after ${at}`, async () => {
      const { flows = [], tokens = [] } = await databaseText(worker.page)
      return flows.length === 0 && tokens.length === 0
    })
    expect(atRedirectHost(stage)).toEqual([])
  }

  test('L01 to L05: before the request is carried out, the flow ends and leaves nothing', async () => {
    const points: string[] = []
    for (let nth = 1; nth < 30; nth++) {
      const { outcome, stoppedAt } = await flowWith(undefined, nth, { type: 'delay', ms: HELD_MS })
      await expectInvariants(outcome, stoppedAt ?? 'no point')
      if (!stoppedAt) break
      points.push(`${stoppedAt}: ${outcome.error?.data.error ?? 'granted'}`)
    }
    expect(points.some((point) => /^GET .*well-known/.test(point))).toBe(true)
    expect(points.some((point) => /^GET \/auth: granted/.test(point))).toBe(true)
    expect(points.some((point) => /^POST \/token: network_error/.test(point))).toBe(true)
  }, 180_000)

  test.each(['/.well-known/*', '/token'])(
    'L04, C10: with the answer of %s on its way, the flow ends and leaves nothing',
    async (path) => {
      const { outcome, stoppedAt } = await flowWith(path, 1, { type: 'drip', bytesPerSecond: 1 })
      expect(stoppedAt).toBeDefined()
      await expectInvariants(outcome, path)
    },
  )

  test('afterwards a flow ends in a grant', async () => {
    const { outcome } = await flowWith('/nowhere', 1, { type: 'hang' })
    expect(outcome.result).toMatchObject({ issuer: stage.network.issuer })
    await expectInvariants(outcome, 'the end')
  })
})
