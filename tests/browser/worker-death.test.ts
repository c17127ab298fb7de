/**
 * Tests the death of the worker during a call. The browser may stop the worker at any moment, and the call of
 * the page still ends correctly.
 *
 * Seen to fail when a call that is resent does not resume the flow that it began (L01, L05).
 */

import { describe, expect, onTestFinished } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { expectServed } from './support/api-calls.ts'
import { openHost } from './support/browser-host.ts'
import { killExtensionProcess } from './support/event-page.ts'
import { gone, pageAt } from './support/pages.ts'
import { beginSignIn } from './support/sign-in-window.ts'
import {
  answerConsent,
  call,
  gesture,
  type StageOptions,
  signIn,
  startStage,
  tokenRequests,
} from './support/stage.ts'

describe('with the worker stopped', () => {
  test('L01: while the sign-in page is open, the flow still ends with a token', async ({
    stage,
    page,
    worker,
  }) => {
    await gesture(page)
    const { outcome } = await beginSignIn(stage, page)
    await worker.stop()
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('the token survives it, and serves a call', async ({ stage, page, granted, worker }) => {
    await worker.stop()
    await expectServed(page, granted)
    expect(tokenRequests(stage)).toHaveLength(1)
  })
})

describe('with the worker stopped and a consent window', () => {
  const consentTest = test.extend('options', { requireConsent: true })

  consentTest(
    'L05: while the consent window is open, the answer of the user still counts',
    async ({ stage, page, worker }) => {
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      await pageAt(stage.browser, '/ui/consent/')
      await worker.stop()
      await answerConsent(stage, 'deny')
      expect((await outcome).error).toMatchObject({ code: 4001 })
    },
  )
})

/** Runs in a separate browser, whose processes a test may kill. */
async function startOwnStage(options: StageOptions = {}) {
  const host = await openHost('firefox')
  onTestFinished(() => host.close())
  const stage = await startStage(host, options)
  onTestFinished(() => stage.close())
  const page = await stage.open()
  await gesture(page)
  return { stage, page }
}

// Firefox reports which of its processes runs extensions. Chromium does not.
if (BROWSER === 'firefox') {
  describe('with the process of the extension killed', () => {
    test('L01: while the sign-in page is open, the flow still ends with a token', async () => {
      const { stage, page } = await startOwnStage()
      const { outcome } = await beginSignIn(stage, page)
      await killExtensionProcess(stage)
      await signIn(stage)
      expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
      expect(tokenRequests(stage)).toHaveLength(1)
    })

    test('L05: with it the consent window; once the user has closed what is left of that, the call is answered', async () => {
      const { stage, page } = await startOwnStage({ requireConsent: true })
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      const consent = await pageAt(stage.browser, '/ui/consent/')
      await killExtensionProcess(stage)
      await consent.close()
      expect((await outcome).error).toMatchObject({ code: 4001 })
      await gone(stage.browser, '/ui/consent/')
    })
  })
}
