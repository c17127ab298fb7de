/**
 * Adds to the package `northkey` what is no code: its manifest, its README, the license and two documents. The README is
 * that of the package and not of the repository: its reader has an application and this package alone, so it links
 * only what is in the package.
 */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import {
  dependencies,
  description,
  engines,
  license,
  name,
  type,
  version,
} from '../../package.json'

/** Files of the package, with the files of the repository that they are copies of. */
const COPIES = {
  'README.md': 'README.md',
  LICENSE: '../../LICENSE',
  'docs/page-api.md': '../../docs/page-api.md',
  'docs/core.md': '../../docs/core.md',
}

const entry = (module: string) => ({
  types: `./types/${module}/index.d.ts`,
  default: `./${module}.js`,
})

const manifest = {
  name,
  version,
  description,
  license,
  type,
  engines,
  private: true,
  sideEffects: false,
  exports: { './core': entry('core'), './page': entry('page') },
  dependencies,
}

export const packageFiles: Plugin = {
  name: 'northkey:package-files',
  generateBundle() {
    const addFile = (fileName: string, source: string) =>
      this.emitFile({ type: 'asset', fileName, source })
    addFile('package.json', `${JSON.stringify(manifest, undefined, 2)}\n`)
    for (const [fileName, path] of Object.entries(COPIES)) {
      addFile(fileName, readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8'))
    }
  },
}
