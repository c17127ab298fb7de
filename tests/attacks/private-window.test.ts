/**
 * Tests private windows, in which no grant of an ordinary window may be used. The extension does not run in a
 * private window, even if the user has allowed it there.
 *
 * Seen to fail when the manifest has `incognito: 'spanning'`. In Firefox no test can give its extension the
 * user's permission for private windows, so no test could fail there. Its manifest also has
 * `not_allowed`.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import { BROWSER, test } from '../browser/fixtures.ts'
import { openHost } from '../browser/support/browser-host.ts'
import { findsBroker } from '../browser/support/discovery.ts'
import { startStage } from '../browser/support/stage.ts'

/** A profile in which the user has allowed the extension in private windows. */
async function makeProfile(): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  await mkdir(join(profile, 'Default'))
  const allowed = { extensions: { settings: { [CHROMIUM_ID]: { incognito: true } } } }
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(allowed))
  return profile
}

describe.runIf(BROWSER === 'chromium')('a private window', () => {
  test('E14: finds no broker, though the user allowed it there', async () => {
    const host = await openHost('chromium', { profile: await makeProfile() })
    onTestFinished(() => host.close())
    const stage = await startStage(host)
    onTestFinished(() => stage.close())
    expect(await findsBroker(await stage.open())).toBe(true)
    const privately = await stage.browser.createBrowserContext()
    const page = await privately.newPage()
    await page.goto(stage.application.origin)
    expect(await findsBroker(page)).toBe(false)
  })
})
