/**
 * Copies a development build, and adds the operator profiles of one running network beside its manifest and the
 * time limits that a test replaces. Each run uses a copy of its own, so that parallel runs do not share one.
 */

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as limits from '../extension/limits.ts'
import type { OperatorProfile } from '../shared/messages/operator-profile.ts'
import type { BrowserName } from './browsers.ts'
import { getDevelopmentBuildPath } from './build.ts'

export interface ExtensionCopy {
  path: string
  remove(): Promise<void>
}

/** Time limits of the product by name, in milliseconds. */
export type Limits = { readonly [name in keyof typeof limits]?: number }

interface BuiltManifest {
  content_scripts: { js: string[]; world?: string }[]
}

const LIMITS_FILE = 'limits.js'

async function editFile(path: string, edit: (text: string) => string): Promise<void> {
  const text = await readFile(path, 'utf8')
  const edited = edit(text)
  if (edited === text) throw new Error(`${path}: expected a place for ${LIMITS_FILE}`)
  await writeFile(path, edited)
}

/**
 * Loads the limits before each script of the extension: in the worker, in the isolated world of each document,
 * and in the extension's own pages. The page's world gets them only where the provider's own limit is replaced,
 * since the page can see them there.
 */
async function writeLimits(folder: string, replaced: Limits): Promise<void> {
  await writeFile(
    join(folder, LIMITS_FILE),
    `globalThis.northkeyLimits = ${JSON.stringify(replaced)}\n`,
  )
  await editFile(
    join(folder, 'service-worker-loader.js'),
    (loader) => `import './${LIMITS_FILE}'\n${loader}`,
  )
  await editFile(join(folder, 'manifest.json'), (text) => {
    const manifest: BuiltManifest = JSON.parse(text)
    for (const { js, world } of manifest.content_scripts) {
      if (world !== 'MAIN' || replaced.PING_INTERVAL_MS !== undefined) js.unshift(LIMITS_FILE)
    }
    return JSON.stringify(manifest)
  })
  for (const name of await readdir(join(folder, 'ui'), { recursive: true })) {
    if (!name.endsWith('.html')) continue
    await editFile(join(folder, 'ui', name), (page) =>
      page.replace('<script ', `<script src="/${LIMITS_FILE}"></script>\n    <script `),
    )
  }
}

/**
 * @param builds Folder of all builds, as given to `buildModes`.
 * @param folder Folder of the copy. Default: a temporary folder.
 * @param replaced Time limits that this copy has in the place of the product's.
 */
export async function copyExtension(
  name: BrowserName,
  operators: OperatorProfile[],
  builds: string,
  folder?: string,
  replaced: Limits = {},
): Promise<ExtensionCopy> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), `northkey-${name}-`)))
  const buildPath = getDevelopmentBuildPath(builds, name)
  await rm(path, { recursive: true, force: true })
  await cp(buildPath, path, { recursive: true })
  await writeFile(join(path, 'demo-operators.json'), JSON.stringify(operators, undefined, 2))
  if (Object.keys(replaced).length > 0) await writeLimits(path, replaced)
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
