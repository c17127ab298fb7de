/**
 * One configuration, one mode per thing to build:
 * `chromium`, `firefox` (released extension), `chromium-development`, `firefox-development` (reaches
 * loopback), `demo-site`.
 */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crx } from '@crxjs/vite-plugin'
import preact from '@preact/preset-vite'
import { defineConfig, type Plugin, type UserConfig } from 'vite'
import { manifest, type Target } from './extension/manifest.ts'
import { policySchema } from './extension/policy-schema.ts'
import { version } from './package.json'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

const builds = process.env.NORTHKEY_BUILDS ?? path('dist')

/**
 * Scripts that are registered at run time reach pages by the browser's hand. The extension plugin takes
 * them for files that pages load, and makes them web-accessible, by which a page could tell who is
 * here; it also leaves a second copy of each that nobody uses.
 */
const nothingWebAccessible: Plugin = {
  name: 'northkey:nothing-web-accessible',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const name of Object.keys(bundle)) {
        if (/^assets\/index\.iife\.ts-.*\.js$/.test(name)) delete bundle[name]
      }
      const file = bundle['manifest.json']
      if (file?.type !== 'asset') throw new Error('manifest.json: expected in the bundle')
      const { web_accessible_resources: _dropped, ...rest } = JSON.parse(String(file.source))
      file.source = JSON.stringify(rest, undefined, 2)
    },
  },
}

/**
 * The polyfill is a CommonJS module. What a bundler puts around one looks at every API of the browser, which
 * the browser only then makes: each start of a worker would pay for APIs that nobody uses.
 */
const polyfillAsModule: Plugin = {
  name: 'northkey:polyfill-as-module',
  transform: {
    filter: { id: /browser-polyfill\.js$/ },
    handler: (code) => `const module = {}, exports = module;${code}\nexport default module.exports`,
  },
}

/** Chromium reads policy through a schema that lies beside the manifest. */
const policySchemaFile: Plugin = {
  name: 'northkey:policy-schema',
  generateBundle() {
    const source = JSON.stringify(policySchema, undefined, 2)
    this.emitFile({ type: 'asset', fileName: 'policy.schema.json', source })
  },
}

function extension(target: Target, development: boolean): UserConfig {
  return {
    root: path('extension'),
    publicDir: false,
    define: {
      __DEVELOPMENT__: JSON.stringify(development),
      __REPLACED_LIMITS__: development ? 'globalThis.northkeyLimits' : 'undefined',
      __TARGET__: JSON.stringify(target),
      __VERSION__: JSON.stringify(version),
    },
    plugins: [
      preact(),
      polyfillAsModule,
      ...(target === 'chromium' ? [policySchemaFile] : []),
      crx({
        manifest: manifest(target, development),
        browser: target === 'chromium' ? 'chrome' : 'firefox',
      }),
      nothingWebAccessible,
    ],
    build: {
      outDir: join(builds, development ? 'development' : '', target),
      emptyOutDir: true,
      target: ['chrome130', 'firefox128'],
      modulePreload: false,
      rolldownOptions: {
        optimization: { inlineConst: { mode: 'all', pass: 2 } },
        input: [path('extension/ui/consent/index.html'), path('extension/ui/sites/index.html')],
      },
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
