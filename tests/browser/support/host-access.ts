/** Gives the extension access to hosts before the browser loads it. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Gives the extension the permission to send requests to hosts that are not loopback. */
export async function allowEveryHost(path: string): Promise<void> {
  const file = join(path, 'manifest.json')
  const manifest = JSON.parse(await readFile(file, 'utf8'))
  manifest.host_permissions.push('https://*/*')
  await writeFile(file, JSON.stringify(manifest))
}
