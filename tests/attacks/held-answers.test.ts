/**
 * A10: what a page still waits for when its grant ends does not reach the page. The server holds its answer,
 * the user disconnects, and the server answers.
 *
 * Seen to fail when `runWithGrant` in `extension/background/grants/grant-use.ts` only runs its task: the page
 * waits as long as the API holds its answer, and gets the body that arrives after the user disconnected. The
 * test of the token then ends with the time limit of the request only. That late tokens are revoked is C18 in
 * `tests/browser/tokens.test.ts`.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { AccessToken, FetchResult, RevokeResult } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { watchAnswer } from '../browser/support/answer-progress.ts'
import { subscriptionsUrl } from '../browser/support/api-calls.ts'
import { until } from '../browser/support/pages.ts'
import { expectError } from '../browser/support/shapes.ts'
import { type Called, call, openScreen, type Stage } from '../browser/support/stage.ts'
import { addApiFault, SUBSCRIPTIONS, subscription } from '../browser/support/subscriptions.ts'
import { RENEWED } from '../browser/support/tokens.ts'

const LETTERS = ['a', 'b', 'c', 'd', 'e']
/** Smaller than the 256 KiB that the API accepts. */
const NOTE_BYTES = 250_000

/** Ends the grant in the popup. */
async function disconnect(stage: Stage): Promise<void> {
  const screen = await openScreen(stage)
  await screen.waitForSelector('[data-testid=connection] button')
  await screen.bringToFront()
  await screen.click('[data-testid=connection] button')
  await screen.waitForSelector('[data-testid=connection]', { hidden: true })
}

/** Expects the error of a grant that is gone while the server still holds its answer, and nothing after it. */
async function expectNothing(page: Page, outcome: Promise<Called<unknown>>, release: () => void) {
  expectError(await outcome, 4100, 'no_grant')
  release()
  expect((await call(page, 'northbound_getGrants')).result).toEqual([])
}

describe('A10: an answer that comes after the user disconnected', () => {
  test('of an API, is not handed to the page', async ({ stage, page, granted }) => {
    const { faults, log } = stage.network
    const action = { type: 'hold', before: 'answering' } as const
    const hold = faults.add({ path: SUBSCRIPTIONS, action })
    const outcome = call<FetchResult>(page, 'northbound_fetch', { url: subscriptionsUrl(granted) })
    await log.waitFor({ path: SUBSCRIPTIONS }, { until: 'arrived' })
    await disconnect(stage)
    await expectNothing(page, outcome, () => faults.remove(hold))
  })

  test('of an API in the middle of its body, is not handed to the page', async ({
    stage,
    page,
    granted,
  }) => {
    const url = subscriptionsUrl(granted)
    const headers = { 'content-type': 'application/json' }
    for (const letter of LETTERS) {
      const body = subscription(letter.repeat(NOTE_BYTES))
      await call(page, 'northbound_fetch', { url, method: 'POST', headers, body })
    }
    addApiFault(stage, { type: 'hold', before: 'second-half' })
    const sentBytes = watchAnswer('GET', SUBSCRIPTIONS)
    const outcome = call<FetchResult>(page, 'northbound_fetch', { url })
    await until('the first part of the body', async () => sentBytes() >= 600_000)
    await disconnect(stage)
    expect(sentBytes()).toBeLessThan(LETTERS.length * NOTE_BYTES)
    await expectNothing(page, outcome, () => stage.network.faults.clear())
  })
})

const tokenTest = test.extend('wish', { mode: 'token' })

describe('A10: a token that is renewed while another tab revokes the grant', () => {
  tokenTest('is not handed to the page', async ({ stage, page, granted }) => {
    const { faults, log } = stage.network
    const hold = faults.add({ path: '/token', action: { type: 'hold', before: 'answering' } })
    const other = await stage.open()
    const { grantId } = granted
    const outcome = call<AccessToken>(page, 'northbound_getAccessToken', { grantId, ...RENEWED })
    await log.waitFor({ path: /\/token$/ }, { until: 'arrived' })
    const { result } = await call<RevokeResult>(other, 'northbound_revoke', { grantId })
    expect(result?.revoked).toEqual([grantId])
    await expectNothing(page, outcome, () => faults.remove(hold))
  })
})
