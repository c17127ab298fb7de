/** Builds what the browser tests load, so that they never run against yesterday's code. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildModes, DEVELOPMENT_MODES } from '../../../scripts/build.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of all builds of this run. */
    builds: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const builds = await mkdtemp(join(tmpdir(), 'northkey-builds-'))
  await buildModes(DEVELOPMENT_MODES, builds)
  project.provide('builds', builds)
  return () => rm(builds, { recursive: true, force: true })
}
