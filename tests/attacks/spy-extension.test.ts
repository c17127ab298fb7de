/**
 * Tests a second extension with every host permission beside the broker. It sees the code of each flow, and
 * the code must be useless for it. It cannot send messages to the broker either.
 *
 * Seen to fail when the verifier is constant (the stolen code buys a token). No single change makes the
 * broker receive messages of another extension: it has no listener for them, and the manifest admits no
 * extension. The control has both, and there the spy extension gets answers.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { CHROMIUM_ID, GECKO_ID } from '../../extension/identity.ts'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { openTab, until } from '../browser/support/pages.ts'
import { call, formOf, tokenRequests } from '../browser/support/stage.ts'

const SPY = fileURLToPath(new URL('../spy-extension', import.meta.url))

interface Seen {
  codes: string[]
  answers: { status: number; body: string }[]
}

interface ExtensionApi {
  runtime: { sendMessage(...message: unknown[]): Promise<unknown> }
}

/** `spy`: a page of the other extension. */
const test = base
  .extend('spyId', async ({ stage }, { onCleanup }) => {
    const id = await stage.browser.installExtension(SPY)
    onCleanup(() => stage.browser.uninstallExtension(id))
    return id
  })
  .extend('spy', async ({ host, spyId }) => {
    const page = await openTab(host.browser)
    // Firefox's driver gets no load event of such a page.
    void page.goto(`${await host.originOf(spyId)}/spy.html`).catch(() => {})
    await until('the interfaces of extensions', () =>
      page
        .evaluate(() => 'chrome' in globalThis && location.pathname === '/spy.html')
        .catch(() => false),
    )
    return page
  })

/** Returns the answers to messages of another extension. */
function sendMessages(spy: Page): Promise<string[]> {
  return spy.evaluate(
    (id) => {
      const { runtime } = (globalThis as unknown as { chrome: ExtensionApi }).chrome
      const approval = { flowId: 'x', apis: [], lifetime: 'day' }
      const messages = [
        { type: 'screenRequest', method: 'listGrants', params: {} },
        { type: 'screenRequest', method: 'approve', params: approval },
        [{ id: 1, attempt: 0, method: 'northbound_getGrants' }],
      ]
      const outcomes = messages.map((message) =>
        runtime.sendMessage(id, message).then(
          (answer) => (answer === undefined ? 'nothing' : `answered ${JSON.stringify(answer)}`),
          () => 'nothing',
        ),
      )
      return Promise.all(outcomes)
    },
    BROWSER === 'chromium' ? CHROMIUM_ID : GECKO_ID,
  )
}

/** Builds a broker that admits other extensions and answers them. */
async function listenToExtensions(extension: string): Promise<void> {
  const path = join(extension, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  if (BROWSER === 'chromium') manifest.externally_connectable = { ids: ['*'] }
  await writeFile(path, JSON.stringify(manifest))
  const { service_worker, scripts } = manifest.background
  const script = join(extension, service_worker ?? scripts[0])
  const listener = `chrome.runtime.onMessageExternal.addListener((message, sender, answer) => answer(1))`
  await writeFile(script, `${listener}\n${await readFile(script, 'utf8')}`)
}

describe('beside an extension that sees every request', () => {
  test('M4, B08: its messages reach nobody, whatever they ask', async ({ page, spy }) => {
    // Control: the broker runs.
    expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
    expect(await sendMessages(spy)).toEqual(['nothing', 'nothing', 'nothing'])
  })

  describe('control: a broker that listens to other extensions', () => {
    const control = test.extend('options', { prepareExtension: listenToExtensions })

    control('M4, B08: answers its messages', async ({ page, spy }) => {
      expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
      expect(await sendMessages(spy)).toEqual(['answered 1', 'answered 1', 'answered 1'])
    })
  })

  test('R26, M12: it sees the code, and its own redemption is refused', async ({
    stage,
    page,
    spy,
  }) => {
    const outcome = await connectQuickly(stage, page)
    const seen = () =>
      spy.evaluate(() =>
        (globalThis as unknown as { chrome: ExtensionApi }).chrome.runtime.sendMessage('tell'),
      ) as Promise<Seen>
    await expect.poll(async () => (await seen()).answers.length, { timeout: 5_000 }).toBe(2)
    const { codes, answers } = await seen()
    // Control: the spy extension did see the code.
    expect(codes.length).toBeGreaterThan(0)
    for (const { status, body } of answers) {
      expect(status).toBe(400)
      expect(body).not.toContain('access_token')
    }
    const own = tokenRequests(stage).filter(
      (entry) => formOf(entry).code_verifier && formOf(entry).code_verifier !== 'x'.repeat(43),
    )
    expect(own).toHaveLength(1)
    // The broker was first and has a grant, or the operator invalidated the code and the call has a typed error.
    if (outcome.error) expect(outcome.error.data.error).toBe('invalid_grant')
    else expect(outcome.result).toMatchObject({ issuer: stage.network.issuer })
    const grants = await call<Grant[]>(page, 'northbound_getGrants')
    expect(grants.result).toHaveLength(outcome.error ? 0 : 1)
  })
})
