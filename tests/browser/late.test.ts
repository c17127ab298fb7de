/**
 * Tests a sign-in page that was left open for longer than a flow may last. The test does not wait for an
 * hour: a page of the broker's own origin moves the deadline in the record of the flow into the past.
 *
 * Seen to fail when `resumeFlow` in `extension/background/authorization/authorization-flow.ts` does not check
 * the deadline, and when `receiveResponse` in `shared/core/flow.ts` does not check it.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test } from './fixtures.ts'
import { openDatabase } from './support/databases.ts'
import { gone } from './support/pages.ts'
import {
  authorizationResponses,
  call,
  connect,
  gesture,
  openScreen,
  type Stage,
  signIn,
  signInPage,
  tokenRequests,
} from './support/stage.ts'

interface Extension {
  storage: { session: { get(name: string): Promise<Record<string, number[]>> } }
  alarms: { create(name: string, info: { when: number }): void }
}

/** Decrypts the records of the pending flows, moves their deadline into the past, and encrypts them again. */
async function endTime(screen: Page): Promise<void> {
  const opened = await openDatabase(screen, 'northkey-flows')
  await opened.evaluate(async (database) => {
    const { storage } = (globalThis as unknown as { chrome: Extension }).chrome
    const { sealingKey = [] } = await storage.session.get('sealingKey')
    const bytes = new Uint8Array(sealingKey)
    const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [
      'encrypt',
      'decrypt',
    ])
    const finished = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const flows = () => database.transaction('flows', 'readwrite').objectStore('flows')
    for (const id of await finished(flows().getAllKeys())) {
      const { iv, data } = await finished(flows().get(id))
      const additionalData = new TextEncoder().encode(`flows/${id}`)
      const algorithm = { name: 'AES-GCM', iv, additionalData }
      const text = new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, data))
      const past = text.replaceAll(/"deadlineMs":\d+/g, `"deadlineMs":${Date.now() - 1}`)
      const sealed = await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(past))
      await finished(flows().put({ iv, data: sealed }, id))
    }
    database.close()
  })
}

/** Fires the alarm that the broker set for the deadline. */
const ringAlarm = (screen: Page) =>
  screen.evaluate(() => {
    const { alarms } = (globalThis as unknown as { chrome: Extension }).chrome
    alarms.create('housekeeping', { when: Date.now() })
  })

/** A flow that waits at the operator's sign-in page when its deadline passes. */
async function leaveSignInOpen(stage: Stage, page: Page) {
  const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
  await signInPage(stage)
  const screen = await openScreen(stage)
  await endTime(screen)
  return { outcome, screen }
}

const TIMED_OUT = { code: ERROR_CODE.unreachable, data: { error: 'timeout' }, isError: true }

describe('a sign-in page that was left open', () => {
  test('X14: its window closes when the time is over, the page is told, and a new flow works', async ({
    stage,
    page,
  }) => {
    const { outcome, screen } = await leaveSignInOpen(stage, page)
    await ringAlarm(screen)
    expect((await outcome).error).toMatchObject(TIMED_OUT)
    await gone(stage.browser, stage.network.issuer)
    expect(tokenRequests(stage)).toEqual([])
    await gesture(page)
    expect((await connect(stage, page)).result).toBeDefined()
  })

  test('X14: who signs in after the time gets the same error, and the code is not sent', async ({
    stage,
    page,
  }) => {
    const { outcome, screen } = await leaveSignInOpen(stage, page)
    await screen.close()
    await signIn(stage)
    expect((await outcome).error).toMatchObject(TIMED_OUT)
    expect(authorizationResponses(stage)).toHaveLength(1)
    expect(tokenRequests(stage)).toEqual([])
    await gone(stage.browser, stage.network.issuer)
  })
})
