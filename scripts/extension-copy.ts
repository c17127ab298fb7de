/**
 * A development build with the operators of one running network written beside its manifest. Each run
 * has a copy of its own, so that two runs do not meet.
 */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OperatorProfile } from '../shared/messages/operator-profile.ts'
import type { BrowserName } from './browsers.ts'

export interface ExtensionCopy {
  path: string
  remove(): Promise<void>
}

/** @param folder Where the copy goes; without it a temporary folder. */
export async function copyExtension(
  name: BrowserName,
  operators: OperatorProfile[],
  folder?: string,
): Promise<ExtensionCopy> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), `northkey-${name}-`)))
  const built = fileURLToPath(new URL(`../dist/development/${name}`, import.meta.url))
  await rm(path, { recursive: true, force: true })
  await cp(built, path, { recursive: true })
  await writeFile(join(path, 'demo-operators.json'), JSON.stringify(operators, undefined, 2))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
