/**
 * Starts a stage in a separate Chromium with a profile folder. A test may end this browser and start it
 * again.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'puppeteer-core'
import { onTestFinished } from 'vitest'
import { openBrowser } from '../../../scripts/browsers.ts'
import { openHost } from './browser-host.ts'
import { openPage } from './pages.ts'
import { type Stage, type StageOptions, startStage } from './stage.ts'

export interface OwnStage {
  stage: Stage
  /** Folder of the browser's profile. */
  profile: string
  /** Starts the browser again after it has ended, with the same profile and the same extension. */
  restart(): Promise<void>
}

export async function startOwnStage(options: StageOptions = {}): Promise<OwnStage> {
  const profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
  onTestFinished(() => rm(profile, { recursive: true, force: true }))
  const host = await openHost('chromium', { profile })
  let latest: Browser = host.browser
  onTestFinished(async () => {
    await latest.close()
    await host.outside.close()
  })
  const stage = await startStage(host, options)
  onTestFinished(() => stage.close())
  return {
    stage,
    profile,
    async restart() {
      latest = await openBrowser('chromium', {
        extension: stage.extensionPath,
        proxy: host.outside.address,
        profile,
      })
      stage.browser = latest
      stage.open = (path = '/') => openPage(latest, stage.application.origin + path)
    },
  }
}
