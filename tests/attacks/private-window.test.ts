/**
 * Private windows, which no grant of an ordinary window may follow into: the extension does not run
 * there, not even where the user has allowed it.
 *
 * Seen to fail with `incognito: 'spanning'` in the manifest. In Firefox no test can give an extension of
 * its own the user's leave for private windows, so nothing could fail there; its manifest says the same.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import { type Stage, startStage } from '../browser/support/stage.ts'

const findsBroker = (page: Page) => page.evaluate(async () => (await window.broker()) !== undefined)

describe('in chromium, a private window', () => {
  let profile: string
  let stage: Stage

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
    await mkdir(join(profile, 'Default'))
    const allowed = { extensions: { settings: { [CHROMIUM_ID]: { incognito: true } } } }
    await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(allowed))
    stage = await startStage('chromium', { profile })
  })
  afterAll(async () => {
    await stage?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  })

  test('E14: finds no broker, though the user allowed it there', async () => {
    expect(await findsBroker(await stage.open())).toBe(true)
    const privately = await stage.browser.createBrowserContext()
    const page = await privately.newPage()
    await page.goto(stage.application.origin)
    expect(await findsBroker(page)).toBe(false)
    await privately.close()
  })
})
