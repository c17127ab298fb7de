/** Measures the size of the scripts in a page, and the size of the packed extension. */

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import type { Goal } from '../report.ts'

const SCRIPTS = ['provider/index.iife.js', 'content/index.iife.js']
const SCRIPTS_LIMIT = 2.5 * 1024
const PACKED_LIMIT = 120 * 1024
/** Bytes of the local header and the central header of an entry in a ZIP archive, without the name. */
const ENTRY_BYTES = 30 + 46

const formatKilobytes = (bytes: number) => `${(bytes / 1024).toFixed(2)} kB`

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Computes the size of a folder as a ZIP archive. */
async function computePackedSize(folder: string): Promise<number> {
  let size = 22
  for (const file of await listFiles(folder)) {
    const content = await readFile(file)
    const packed = Math.min(content.length, deflateRawSync(content, { level: 9 }).length)
    size += packed + ENTRY_BYTES + 2 * relative(folder, file).length
  }
  return size
}

/** @param builds Folder of all builds. */
export async function measureSizes(builds: string, name: string): Promise<Goal[]> {
  const folder = join(builds, name)
  const found = await Promise.all(
    (await listFiles(folder)).map(
      async (file) => [relative(folder, file), await readFile(file)] as const,
    ),
  )
  const scripts = SCRIPTS.map((path) => {
    const content = found.find(([file]) => file === path || file.endsWith(`/${path}`))?.[1]
    if (!content) throw new Error(`${path}: not built`)
    return content
  })
  const totalSize = gzipSync(Buffer.concat(scripts), { level: 9 }).length
  const scriptSizes = scripts
    .map((script) => formatKilobytes(gzipSync(script, { level: 9 }).length))
    .join(' + ')
  const packed = await computePackedSize(folder)
  return [
    {
      name: `${name}: scripts in a page, gzip (${scriptSizes} one by one)`,
      measured: formatKilobytes(totalSize),
      limit: formatKilobytes(SCRIPTS_LIMIT),
      met: totalSize <= SCRIPTS_LIMIT,
    },
    {
      name: `${name}: packed extension`,
      measured: formatKilobytes(packed),
      limit: formatKilobytes(PACKED_LIMIT),
      met: packed <= PACKED_LIMIT,
    },
  ]
}
