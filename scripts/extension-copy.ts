/**
 * Copies a development build and adds the operator profiles of one running network beside its manifest. Each run
 * uses a copy of its own, so that parallel runs do not share one.
 */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OperatorProfile } from '../shared/messages/operator-profile.ts'
import type { BrowserName } from './browsers.ts'
import { getDevelopmentBuildPath } from './build.ts'

export interface ExtensionCopy {
  path: string
  remove(): Promise<void>
}

/**
 * @param builds Folder of all builds, as given to `buildModes`.
 * @param folder Folder of the copy. Default: a temporary folder.
 */
export async function copyExtension(
  name: BrowserName,
  operators: OperatorProfile[],
  builds: string,
  folder?: string,
): Promise<ExtensionCopy> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), `northkey-${name}-`)))
  const buildPath = getDevelopmentBuildPath(builds, name)
  await rm(path, { recursive: true, force: true })
  await cp(buildPath, path, { recursive: true })
  await writeFile(join(path, 'demo-operators.json'), JSON.stringify(operators, undefined, 2))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
