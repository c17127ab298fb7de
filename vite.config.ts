/**
 * Configures all builds, with one mode for each: `chromium` and `firefox` (released extension),
 * `chromium-development` and `firefox-development` (with access to loopback), and `demo-site`.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crx } from '@crxjs/vite-plugin'
import preact from '@preact/preset-vite'
import { defineConfig, type Plugin, type UserConfig } from 'vite'
import {
  ANONYMOUS_REQUESTS_FILE,
  createAnonymousRequestRule,
} from './extension/background/platform/anonymous-request-rule.ts'
import { CHROMIUM_ID } from './extension/identity.ts'
import { createManifest, type Target } from './extension/manifest.ts'
import { policySchema } from './extension/policy-schema.ts'
import { version } from './package.json'

const toPath = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

const builds = process.env.NORTHKEY_BUILDS ?? toPath('dist')

/**
 * Removes `web_accessible_resources` from the manifest, and unused files from the bundle. The browser
 * injects the scripts that are registered at run time. The extension plugin takes them for files that pages
 * load, and makes them web-accessible; a page could then detect the extension. It also adds an unused
 * second copy of each script.
 */
const removeWebAccessibleResources: Plugin = {
  name: 'northkey:no-web-accessible-resources',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const name of Object.keys(bundle)) {
        if (/^assets\/index\.iife\.ts-.*\.js$/.test(name)) delete bundle[name]
      }
      const file = bundle['manifest.json']
      if (file?.type !== 'asset') throw new Error('manifest.json: expected in the bundle')
      const { web_accessible_resources: _removed, ...rest } = JSON.parse(String(file.source))
      file.source = JSON.stringify(rest, undefined, 2)
    },
  },
}

/**
 * Converts the polyfill, a CommonJS module, to an ES module. The wrapper that a bundler adds to a CommonJS
 * module reads every API of the browser, and the browser creates an API at its first read. That would slow
 * down each start of a worker by APIs that it does not use.
 */
const polyfillAsModule: Plugin = {
  name: 'northkey:polyfill-as-module',
  transform: {
    filter: { id: /browser-polyfill\.js$/ },
    handler: (code) => `const module = {}, exports = module;${code}\nexport default module.exports`,
  },
}

/** Adds what Chromium reads from files beside the manifest: the policy schema, and the static rule. */
const addChromiumFiles: Plugin = {
  name: 'northkey:chromium-files',
  generateBundle() {
    const files = {
      'policy.schema.json': policySchema,
      [ANONYMOUS_REQUESTS_FILE]: [createAnonymousRequestRule(CHROMIUM_ID)],
    }
    for (const [fileName, content] of Object.entries(files)) {
      this.emitFile({ type: 'asset', fileName, source: JSON.stringify(content, undefined, 2) })
    }
  },
}

const DEMO_OPERATORS_FILE = 'demo-operators.json'

/**
 * Keeps the operators that `npm run network` has written into the folder of a development build. The build empties
 * the folder, while the network goes on and does not write them again.
 */
function keepDemoOperators(folder: string): Plugin {
  let operators: string | undefined
  return {
    name: 'northkey:demo-operators',
    buildStart() {
      const path = join(folder, DEMO_OPERATORS_FILE)
      operators = existsSync(path) ? readFileSync(path, 'utf8') : undefined
    },
    generateBundle() {
      if (operators === undefined) return
      this.emitFile({ type: 'asset', fileName: DEMO_OPERATORS_FILE, source: operators })
    },
  }
}

function configureExtension(target: Target, development: boolean): UserConfig {
  const outDir = join(builds, development ? 'development' : '', target)
  return {
    root: toPath('extension'),
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
      ...(target === 'chromium' ? [addChromiumFiles] : []),
      ...(development ? [keepDemoOperators(outDir)] : []),
      crx({
        manifest: createManifest(target, development),
        browser: target === 'chromium' ? 'chrome' : 'firefox',
      }),
      removeWebAccessibleResources,
    ],
    build: {
      outDir,
      emptyOutDir: true,
      target: ['chrome130', 'firefox128'],
      modulePreload: false,
      rolldownOptions: {
        optimization: { inlineConst: { mode: 'all', pass: 2 } },
        input: [toPath('extension/ui/consent/index.html'), toPath('extension/ui/sites/index.html')],
      },
    },
  }
}

const demoSite: UserConfig = {
  root: toPath('demo-site/app'),
  plugins: [preact()],
  build: { outDir: join(builds, 'demo-site'), emptyOutDir: true },
}

export default defineConfig(({ mode }) => {
  const [target, development] = mode.split('-')
  if (mode === 'demo-site') return demoSite
  if (target === 'chromium' || target === 'firefox') {
    return configureExtension(target, development === 'development')
  }
  throw new Error(`--mode: expected chromium, firefox, either with -development, or demo-site`)
})
