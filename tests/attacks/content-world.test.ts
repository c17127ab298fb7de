/**
 * The world of the content script, as whoever has broken out of a page into its process would find it:
 * the broker's stores are out of reach there, and the table of its screens does not answer. A script of
 * the test stands in the manifest beside our own, and so shares its world.
 *
 * Seen to fail when `closeToContentScripts` does nothing (Chromium), with the salt of the subject
 * handles in `storage.local` (Firefox, which has no such switch), and when any sender counts as one of
 * the broker's screens.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BROWSERS, connect, type Stage, startStage } from '../browser/support/stage.ts'

interface Area {
  get(keys: null): Promise<object>
  set(items: object): Promise<void>
}

interface Reached {
  [what: string]: unknown
}

/** Runs in the content script's world; its source is what the browser loads. */
function probe(): void {
  const { runtime, storage } = (
    globalThis as unknown as {
      chrome: {
        runtime: { sendMessage(message: object): Promise<unknown> }
        storage: Partial<Record<'local' | 'session' | 'sync', Area>>
      }
    }
  ).chrome
  const attempt = async (reach: () => Promise<unknown>) => {
    try {
      return (await reach()) ?? 'nothing'
    } catch {
      return 'refused'
    }
  }
  const read = (area: Area | undefined) => async () =>
    area ? Object.keys(await area.get(null)) : undefined
  const screen = (method: string) => () =>
    runtime.sendMessage({ type: 'screenRequest', method, params: {} })
  document.addEventListener('northkey-test:probe', async () => {
    const reached = {
      local: await attempt(read(storage.local)),
      session: await attempt(read(storage.session)),
      databases: await attempt(async () => (await indexedDB.databases()).map(({ name }) => name)),
      listGrants: await attempt(screen('listGrants')),
      listOperators: await attempt(screen('listOperators')),
      readLog: await attempt(screen('readLog')),
    }
    document.documentElement.dataset.reached = JSON.stringify(reached)
  })
}

/** The script of the test, before ours in the same world. */
async function addProbe(extension: string): Promise<void> {
  const path = join(extension, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  manifest.content_scripts[0].js.unshift('probe.js')
  await writeFile(path, JSON.stringify(manifest))
  await writeFile(join(extension, 'probe.js'), `(${probe})()`)
}

describe.each(BROWSERS)('in %s, a script in the world of the content script', (name) => {
  let stage: Stage
  let page: Page
  let reached: Reached

  beforeAll(async () => {
    stage = await startStage(name, { prepareExtension: addProbe })
    page = await stage.open()
    expect((await connect(stage, page)).error).toBeUndefined()
    await page.evaluate(() => document.dispatchEvent(new Event('northkey-test:probe')))
    await page.waitForSelector('[data-reached]')
    reached = await page.evaluate(() => JSON.parse(document.documentElement.dataset.reached ?? ''))
  })
  afterAll(() => stage?.close())

  test('B16: reads none of the broker’s storage: the areas are refused, or hold nothing', () => {
    expect(reached.local).toEqual(name === 'chromium' ? 'refused' : [])
    expect(['refused', 'nothing']).toContainEqual(reached.session)
  })

  test('B16: sees the databases of the page alone', () => {
    expect(reached.databases).toEqual([])
  })

  test('B07, B16: is not answered by the table of the broker’s screens', () => {
    const { listGrants, listOperators, readLog } = reached
    for (const answer of [listGrants, listOperators, readLog]) {
      expect(['refused', 'nothing']).toContainEqual(answer)
    }
  })
})
