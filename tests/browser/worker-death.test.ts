/**
 * The worker may stop at any moment; what the page asked still ends as it should.
 *
 * Seen to fail when a call that is asked again does not take up the flow that it began (L01, L05).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { pageAt, until } from './pages.ts'
import {
  answerConsent,
  call,
  openScreen,
  type Stage,
  signIn,
  signInPage,
  startStage,
  tokenRequests,
} from './stage.ts'

/** Stops the worker as Chromium does: without a word to the code in it. */
async function stopWorker(stage: Stage): Promise<void> {
  const screen = await openScreen(stage)
  const session = await screen.createCDPSession()
  const workers = () =>
    stage.browser.targets().filter((target) => target.type() === 'service_worker')
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await until('the worker to stop', async () => workers().length === 0)
  await screen.close()
}

describe('in chromium, with the worker stopped', () => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage('chromium')
  })
  afterAll(() => stage?.close())

  test('L01: while the sign-in page is open, the flow still ends with a token', async () => {
    page = await stage.open()
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'allow')
    await signInPage(stage)
    await stopWorker(stage)
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('the token survives it, and serves a call', async () => {
    await stopWorker(stage)
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
    await stopWorker(stage)
    await answerConsent(stage, 'deny')
    expect((await outcome).error).toMatchObject({ code: 4001 })
  })
})
