/** Searches for secrets in all files that a closed browser has left in its profile folder. */

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/**
 * Length of a searched piece: long enough to exclude a chance match, short enough to stay contiguous in a
 * compressed file.
 */
const PIECE = 20

function needlesOf(secret: string): Buffer[] {
  const pieces = new Set([secret.slice(0, PIECE), secret.slice(-PIECE)])
  return [...pieces].flatMap((piece) => [Buffer.from(piece, 'utf8'), Buffer.from(piece, 'utf16le')])
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/**
 * @param secrets The secrets by name.
 * @returns The matches as `name in file`, in UTF-8 and in UTF-16.
 */
export async function searchProfile(
  folder: string,
  secrets: Readonly<Record<string, string>>,
): Promise<string[]> {
  const found: string[] = []
  for (const file of await filesUnder(folder)) {
    const content = await readFile(file).catch(() => Buffer.alloc(0))
    for (const [name, secret] of Object.entries(secrets)) {
      if (needlesOf(secret).some((needle) => content.includes(needle))) {
        found.push(`${name} in ${relative(folder, file)}`)
      }
    }
  }
  return found
}
