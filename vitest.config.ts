import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const SCRIPT_FILE = fileURLToPath(
  new URL('tests/extension/support/script-file.ts', import.meta.url),
)
const node = { environment: 'node', pool: 'forks', testTimeout: 30_000 } as const

/** Groups run one after the other: what measures or opens browsers has the machine to itself. */
const group = (groupOrder: number) => ({ sequence: { groupOrder } })

/**
 * One browser a worker, which its files share; each test has an installation of the extension of its own
 * (tests/browser/fixtures.ts).
 */
const browser = (name: 'chromium' | 'firefox', include: string[], groupOrder: number) => ({
  test: {
    ...node,
    ...group(groupOrder),
    name,
    include,
    provide: { browserName: name },
    globalSetup: 'tests/browser/support/build.ts',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

const BROWSER_TESTS = ['tests/browser/**/*.test.ts', 'tests/attacks/**/*.test.ts']

export default defineConfig({
  test: {
    projects: [
      { test: { ...node, name: 'shared', include: ['tests/{shared,vectors}/**/*.test.ts'] } },
      {
        // The bundler gives the name of the file that it makes of a script.
        resolve: { alias: [{ find: /^.*\?script&iife$/, replacement: SCRIPT_FILE }] },
        define: { __REPLACED_LIMITS__: 'undefined' },
        test: { ...node, name: 'extension', include: ['tests/extension/**/*.test.{ts,tsx}'] },
      },
      { test: { ...node, name: 'demo-site', include: ['tests/demo-site/**/*.test.{ts,tsx}'] } },
      {
        test: {
          ...node,
          ...group(1),
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
      browser('chromium', BROWSER_TESTS, 2),
      browser('firefox', BROWSER_TESTS, 3),
    ],
  },
})
