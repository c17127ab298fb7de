/** Builds `northkey/core` and `northkey/page`, one file each, and what else is in the package: `--mode core`, `--mode page`. */

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { packageFiles } from './package-files.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig(({ mode }) => {
  if (mode !== 'core' && mode !== 'page') throw new Error('--mode: expected core or page')
  return {
    root: path('..'),
    publicDir: false,
    plugins: [packageFiles],
    build: {
      outDir: path('../../dist/packages'),
      emptyOutDir: false,
      target: 'es2022',
      // Not minified, so that an application can be debugged; applications minify their own bundles.
      minify: false,
      lib: { entry: path(`../${mode}/index.ts`), formats: ['es'], fileName: () => `${mode}.js` },
      rolldownOptions: { external: ['oauth4webapi'] },
    },
  }
})
