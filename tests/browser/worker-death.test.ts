/**
 * The worker may stop at any moment; what the page asked still ends as it should.
 *
 * Seen to fail when a call that is asked again does not take up the flow that it began (L01, L05).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { killExtensionProcess } from './support/event-page.ts'
import { gesture } from './support/known-subscriber.ts'
import { pageAt } from './support/pages.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  type Stage,
  signIn,
  signInPage,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { type WorkerSwitch, workerSwitch } from './support/worker.ts'

describe.each(BROWSERS)('in %s, with the worker stopped', (name) => {
  let stage: Stage
  let page: Page
  let worker: WorkerSwitch

  beforeAll(async () => {
    stage = await startStage(name)
    worker = await workerSwitch(stage)
  })
  afterAll(() => stage?.close())

  test('L01: while the sign-in page is open, the flow still ends with a token', async () => {
    page = await stage.open()
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'allow')
    await signInPage(stage)
    await worker.stop()
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('the token survives it, and serves a call', async () => {
    await worker.stop()
    const [api] = stage.wish().apis
    const url = `${api?.resource}/cloud-gaming/subscriptions`
    const { result } = await call<{ status: number }>(page, 'northbound_fetch', { url })
    expect(result).toMatchObject({ status: 200 })
    expect(tokenRequests(stage)).toHaveLength(1)
    await call(page, 'northbound_revoke')
  })

  test('L05: while the consent window is open, the answer of the user still counts', async () => {
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await pageAt(stage.browser, '/ui/consent/')
    await worker.stop()
    await answerConsent(stage, 'deny')
    expect((await outcome).error).toMatchObject({ code: 4001 })
  })
})

// Firefox tells which of its processes runs extensions. Chromium does not.
describe('in firefox, with the process of the extension killed', () => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage('firefox')
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  test('L01: while the sign-in page is open, the flow still ends with a token', async () => {
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'allow')
    await signInPage(stage)
    await killExtensionProcess(stage)
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
    await call(page, 'northbound_revoke')
  })

  test('L05: with it the consent window; once the user has closed what is left of that, the call is answered', async () => {
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    const consent = await pageAt(stage.browser, '/ui/consent/')
    await killExtensionProcess(stage)
    await consent.close()
    expect((await outcome).error).toMatchObject({ code: 4001 })
  })
})
