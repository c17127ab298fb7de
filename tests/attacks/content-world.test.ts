/**
 * Tests the world of the content script against an attacker who has escaped from a page into the process of
 * the page. The broker's stores are unreachable there, and the handlers for the broker's screens do not
 * answer. A test script precedes the broker's content script in the manifest, so it shares its world.
 *
 * Seen to fail when `closeToContentScripts` does nothing (Chromium), when the salt of the subject handles is
 * in `storage.local` (Firefox, which has no such access level), and when any sender counts as a screen of the
 * broker.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { databaseText, openScreen } from '../browser/support/stage.ts'

interface Area {
  get(keys: null): Promise<object>
  set(items: object): Promise<void>
}

/** Results of the probe, by attempt. */
type Reached = Record<string, unknown>

/** Runs in the world of the content script. The browser loads the source of this function. */
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

/** Adds the test script before the broker's content script, in the same world. */
async function addProbe(extension: string): Promise<void> {
  const path = join(extension, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  manifest.content_scripts[0].js.unshift('probe.js')
  await writeFile(path, JSON.stringify(manifest))
  await writeFile(join(extension, 'probe.js'), `(${probe})()`)
}

async function reach(page: Page): Promise<Reached> {
  await page.evaluate(() => document.dispatchEvent(new Event('northkey-test:probe')))
  await page.waitForSelector('[data-reached]')
  return page.evaluate(() => JSON.parse(document.documentElement.dataset.reached ?? ''))
}

const test = base.extend('options', { prepareExtension: addProbe })

describe('a script in the world of the content script', () => {
  test('B16: reads none of the broker’s storage: the areas are refused, or hold nothing', async ({
    page,
    granted,
  }) => {
    expect(granted).toBeDefined()
    const { local, session } = await reach(page)
    expect(local).toEqual(BROWSER === 'chromium' ? 'refused' : [])
    expect(['refused', 'nothing']).toContainEqual(session)
  })

  test('B16: sees the databases of the page alone', async ({ stage, page, granted }) => {
    expect(granted).toBeDefined()
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.open('database-of-the-page').onsuccess = resolve
        }),
    )
    expect((await reach(page)).databases).toEqual(['database-of-the-page'])
    // Control: the broker has created its own databases by now.
    const databases = await databaseText(await openScreen(stage))
    expect(Object.keys(databases)).toContain('tokens')
  })

  test('B07, B16: is not answered by the table of the broker’s screens', async ({
    page,
    granted,
  }) => {
    expect(granted).toBeDefined()
    const { listGrants, listOperators, readLog } = await reach(page)
    for (const answer of [listGrants, listOperators, readLog]) {
      expect(['refused', 'nothing']).toContainEqual(answer)
    }
  })
})
