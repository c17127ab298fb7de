import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import type { BrowserName } from './scripts/browsers.ts'

const SCRIPT_FILE = fileURLToPath(
  new URL('tests/extension/support/script-file.ts', import.meta.url),
)
const node = {
  environment: 'node',
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 30_000,
} as const

/** Groups run one after the other: two browsers have the machine to themselves. */
const group = (groupOrder: number) => ({ sequence: { groupOrder } })

/**
 * One browser a worker, which its files share; each test has an installation of the extension of its own
 * (tests/browser/fixtures.ts).
 *
 * @param name Of the project; those of `npm run test:full` begin with `full:`.
 */
const browserProject = (
  name: string,
  browserName: BrowserName,
  groupOrder: number,
  include: string[],
  exclude: string[] = [],
) => ({
  test: {
    ...node,
    ...group(groupOrder),
    name,
    include,
    exclude,
    provide: { browserName, isComplete: name.startsWith('full:') },
    globalSetup: 'tests/browser/support/build.ts',
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
  },
})

const BROWSER_TESTS = ['tests/browser/**/*.test.ts', 'tests/attacks/**/*.test.ts']
/**
 * Their outcome depends on the engine: redirect catching, injection of scripts, structured clone, permissions,
 * the life of the worker, storage. The others run in Firefox in `npm run test:full`.
 */
const IN_BOTH_ENGINES = [
  'attacks/container',
  'attacks/content-world',
  'attacks/extension-files',
  'attacks/hasty-consent',
  'attacks/hostile-core',
  'attacks/installation-id',
  'attacks/page-messages',
  'attacks/presence',
  'attacks/profile-servers',
  'browser/contract/discovery',
  'browser/contract/errors-of-requests',
  'browser/flow',
  'browser/host-permissions',
  'browser/large-body',
  'browser/look-alikes',
  'browser/released',
  'browser/silent-port',
  'browser/sites',
  'browser/strangers',
  'browser/worker-death',
].map((file) => `tests/${file}.test.ts`)
/** Of their combinations `npm test` runs each pair, and `npm run test:full` all. */
const MATRICES = ['tests/browser/profiles.test.ts']
const REAL_TIME_TESTS = ['tests/real-time/**/*.test.ts']

export default defineConfig({
  test: {
    projects: [
      { test: { ...node, name: 'shared', include: ['tests/{shared,vectors}/**/*.test.ts'] } },
      {
        // The bundler gives the name of the file that it makes of a script.
        resolve: { alias: [{ find: /^.*\?script&iife$/, replacement: SCRIPT_FILE }] },
        define: { __DEVELOPMENT__: 'true', __REPLACED_LIMITS__: 'undefined' },
        test: { ...node, name: 'extension', include: ['tests/extension/**/*.test.{ts,tsx}'] },
      },
      { test: { ...node, name: 'demo-site', include: ['tests/demo-site/**/*.test.{ts,tsx}'] } },
      {
        test: {
          ...node,
          name: 'network',
          include: ['tests/network/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...node,
          name: 'flow',
          include: ['tests/flow/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      browserProject('chromium', 'chromium', 2, BROWSER_TESTS),
      browserProject('firefox', 'firefox', 3, IN_BOTH_ENGINES),
      browserProject('full:firefox', 'firefox', 4, BROWSER_TESTS, IN_BOTH_ENGINES),
      browserProject('full:chromium', 'chromium', 7, MATRICES),
      browserProject('full:real-time-chromium', 'chromium', 5, REAL_TIME_TESTS),
      browserProject('full:real-time-firefox', 'firefox', 6, REAL_TIME_TESTS),
    ],
  },
})
