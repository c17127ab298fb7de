/**
 * One configuration, one mode per thing to build:
 * `chromium`, `firefox` (released extension), `chromium-development`, `firefox-development` (reaches
 * loopback), `demo-site`.
 */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crx } from '@crxjs/vite-plugin'
import preact from '@preact/preset-vite'
import { defineConfig, type UserConfig } from 'vite'
import { manifest, type Target } from './extension/manifest.ts'
import { version } from './package.json'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

const builds = process.env.NORTHKEY_BUILDS ?? path('dist')

function extension(target: Target, development: boolean): UserConfig {
  return {
    root: path('extension'),
    publicDir: false,
    define: {
      __DEVELOPMENT__: JSON.stringify(development),
      __TARGET__: JSON.stringify(target),
      __VERSION__: JSON.stringify(version),
    },
    plugins: [
      preact(),
      crx({
        manifest: manifest(target, development),
        browser: target === 'chromium' ? 'chrome' : 'firefox',
      }),
    ],
    build: {
      outDir: join(builds, development ? 'development' : '', target),
      emptyOutDir: true,
      target: ['chrome130', 'firefox128'],
      modulePreload: false,
      rolldownOptions: { input: [path('extension/ui/consent/index.html')] },
    },
  }
}

const demoSite: UserConfig = {
  root: path('demo-site/app'),
  plugins: [preact()],
  build: { outDir: join(builds, 'demo-site'), emptyOutDir: true },
}

export default defineConfig(({ mode }) => {
  const [target, development] = mode.split('-')
  if (mode === 'demo-site') return demoSite
  if (target === 'chromium' || target === 'firefox') {
    return extension(target, development === 'development')
  }
  throw new Error(`--mode: expected chromium, firefox, either with -development, or demo-site`)
})
