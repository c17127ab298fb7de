/** Looks for secrets in everything that a closed browser has left in its profile folder. */

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Long enough to be no chance, short enough to lie in one piece where a file is compressed. */
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
 * @param secrets By what they are.
 * @returns What was found where, as `name in file`; both UTF-8 and UTF-16 count.
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
