/**
 * A second extension with every host permission beside the broker: it sees the code of each flow, and
 * it must be worth nothing to it. It cannot speak to the broker either.
 *
 * Seen to fail when the verifier is always the same (the stolen code buys a token), and when every file
 * is web accessible and `frame-ancestors` is gone. That the broker hears no other extension takes more
 * than one line to undo: it has no listener for them, and the manifest admits none.
 */

import { fileURLToPath } from 'node:url'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM_ID, GECKO_ID } from '../../extension/identity.ts'
import type { Grant } from '../../shared/messages/page-api.ts'
import { gesture } from '../browser/support/known-subscriber.ts'
import { pageAt } from '../browser/support/pages.ts'
import {
  BROWSERS,
  call,
  connect,
  formOf,
  openScreen,
  type Stage,
  startStage,
  tokenRequests,
} from '../browser/support/stage.ts'

const SPY = fileURLToPath(new URL('../spy-extension', import.meta.url))

interface Seen {
  codes: string[]
  answers: { status: number; body: string }[]
}

interface ExtensionApi {
  runtime: {
    sendMessage(...message: unknown[]): Promise<unknown>
    connect(id: string): { onDisconnect: { addListener(listener: () => void): void } }
  }
}

describe.each(BROWSERS)('in %s, beside an extension that sees every request', (name) => {
  let stage: Stage
  let spy: Page
  let page: Page
  const brokerId = name === 'chromium' ? CHROMIUM_ID : GECKO_ID

  beforeAll(async () => {
    stage = await startStage(name)
    await stage.browser.installExtension(SPY)
    spy = await pageAt(stage.browser, '/spy.html')
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  test('M4, B08: its messages reach nobody, whatever they ask', async () => {
    const tried = await spy.evaluate(async (id) => {
      const { runtime } = (globalThis as unknown as { chrome: ExtensionApi }).chrome
      const messages = [
        { type: 'screenRequest', method: 'listGrants', params: {} },
        {
          type: 'screenRequest',
          method: 'approve',
          params: { flowId: 'x', apis: [], lifetime: 'day' },
        },
        [{ id: 1, attempt: 0, method: 'northbound_getGrants' }],
      ]
      const outcomes = messages.map((message) =>
        runtime.sendMessage(id, message).then(
          (answer) => (answer === undefined ? 'nothing' : `answered ${JSON.stringify(answer)}`),
          () => 'nothing',
        ),
      )
      return Promise.all(outcomes)
    }, brokerId)
    expect(tried).toEqual(['nothing', 'nothing', 'nothing'])
  })

  test('R26, M12: it sees the code, and its own redemption is refused', async () => {
    await gesture(page)
    const outcome = await connect(stage, page)
    const seen = async () =>
      (await spy.evaluate(() =>
        (globalThis as unknown as { chrome: ExtensionApi }).chrome.runtime.sendMessage('tell'),
      )) as Seen
    await expect.poll(async () => (await seen()).answers.length, { timeout: 5_000 }).toBe(2)
    const { codes, answers } = await seen()
    // It did see the code, or there was nothing to show.
    expect(codes.length).toBeGreaterThan(0)
    for (const { status, body } of answers) {
      expect(status).toBe(400)
      expect(body).not.toContain('access_token')
    }
    const own = tokenRequests(stage).filter(
      (entry) => formOf(entry).code_verifier && formOf(entry).code_verifier !== 'x'.repeat(43),
    )
    expect(own).toHaveLength(1)
    // The broker was first, or the operator burned the code: a grant, or a typed refusal; no third.
    if (outcome.error) expect(outcome.error.data.error).toBe('invalid_grant')
    else expect(outcome.result).toMatchObject({ issuer: stage.network.issuer })
    const grants = await call<Grant[]>(page, 'northbound_getGrants')
    expect(grants.result).toHaveLength(outcome.error ? 0 : 1)
  })

  test('E05, V9: a page of the broker does not show in a frame', async () => {
    await openScreen(stage).then((screen) => screen.close())
    const framing = await stage.open('/framing')
    const shown = await framing.evaluate(async (address) => {
      const frame = document.createElement('iframe')
      frame.src = address
      const settled = new Promise((resolve) => {
        frame.addEventListener('load', resolve)
        setTimeout(resolve, 1_500)
      })
      document.body.append(frame)
      await settled
    }, `${stage.brokerOrigin}/ui/popup/index.html`)
    expect(shown).toBeUndefined()
    const framed = framing.frames().filter((frame) => frame !== framing.mainFrame())
    for (const frame of framed) {
      const text = await frame
        .evaluate(() => document.getElementById('screen')?.childElementCount ?? 0)
        .catch(() => 0)
      expect(text).toBe(0)
    }
    await framing.close()
  })

  test('M3, B26: no file of the broker can be fetched by a page', async () => {
    const found = await page.evaluate(async (origin) => {
      const files = ['manifest.json', 'icons/16.png', 'ui/popup/index.html', 'demo-operators.json']
      const tried = files.map((file) =>
        fetch(`${origin}/${file}`).then(
          () => file,
          () => undefined,
        ),
      )
      return (await Promise.all(tried)).filter((file) => file !== undefined)
    }, stage.brokerOrigin)
    expect(found).toEqual([])
  })
})
