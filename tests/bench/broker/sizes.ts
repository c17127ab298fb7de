/** What enters a page, and how large the packed extension is. */

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import type { Goal } from '../report.ts'

const SCRIPTS = ['provider/index.iife.js', 'content/index.iife.js']
const SCRIPTS_LIMIT = 2.5 * 1024
const PACKED_LIMIT = 120 * 1024
/** Of a ZIP archive: local header, central header, and the name in both. */
const ENTRY_BYTES = 30 + 46

const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(2)} kB`

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
}

/** The size of the folder as a ZIP archive. */
async function packedSize(folder: string): Promise<number> {
  let size = 22
  for (const file of await filesIn(folder)) {
    const content = await readFile(file)
    const packed = Math.min(content.length, deflateRawSync(content, { level: 9 }).length)
    size += packed + ENTRY_BYTES + 2 * relative(folder, file).length
  }
  return size
}

/** @param builds Folder of builds, with that of a browser in it. */
export async function sizeGoals(builds: string, name: string): Promise<Goal[]> {
  const folder = join(builds, name)
  const found = await Promise.all(
    (await filesIn(folder)).map(
      async (file) => [relative(folder, file), await readFile(file)] as const,
    ),
  )
  const scripts = SCRIPTS.map((path) => {
    const content = found.find(([file]) => file === path || file.endsWith(`/${path}`))?.[1]
    if (!content) throw new Error(`${path}: not built`)
    return content
  })
  const together = gzipSync(Buffer.concat(scripts), { level: 9 }).length
  const each = scripts.map((script) => kilobytes(gzipSync(script, { level: 9 }).length)).join(' + ')
  const packed = await packedSize(folder)
  return [
    {
      name: `${name}: scripts in a page, gzip (${each} one by one)`,
      measured: kilobytes(together),
      limit: kilobytes(SCRIPTS_LIMIT),
      met: together <= SCRIPTS_LIMIT,
    },
    {
      name: `${name}: packed extension`,
      measured: kilobytes(packed),
      limit: kilobytes(PACKED_LIMIT),
      met: packed <= PACKED_LIMIT,
    },
  ]
}
