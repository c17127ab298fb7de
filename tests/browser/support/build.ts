/**
 * Builds the extension that the browser tests of a project load, so that they never run with an old build.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildModes } from '../../../scripts/build.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of all builds of this run. */
    builds: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { browserName } = project.getProvidedContext()
  const builds = await mkdtemp(join(tmpdir(), 'northkey-builds-'))
  await buildModes([`${browserName}-development`, browserName, 'demo-site'], builds)
  project.provide('builds', builds)
  return () => rm(builds, { recursive: true, force: true })
}
