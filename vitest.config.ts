import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const SCRIPT_FILE = fileURLToPath(
  new URL('tests/extension/support/script-file.ts', import.meta.url),
)
const node = { environment: 'node', pool: 'forks', testTimeout: 30_000 } as const

/** Groups run one after the other: what measures or opens browsers has the machine to itself. */
const group = (groupOrder: number) => ({ sequence: { groupOrder } })

/** A real browser on a busy machine is late, or loses a window; what is broken fails each time. */
const patient = {
  retry: 2,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 10_000 } },
} as const

export default defineConfig({
  test: {
    projects: [
      { test: { ...node, name: 'shared', include: ['tests/{shared,vectors}/**/*.test.ts'] } },
      {
        // The bundler gives the name of the file that it makes of a script.
        resolve: { alias: [{ find: /^.*\?script&iife$/, replacement: SCRIPT_FILE }] },
        test: { ...node, name: 'extension', include: ['tests/extension/**/*.test.{ts,tsx}'] },
      },
      { test: { ...node, name: 'demo-site', include: ['tests/demo-site/**/*.test.{ts,tsx}'] } },
      {
        test: {
          ...node,
          ...group(1),
          ...patient,
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
      {
        test: {
          ...node,
          ...group(2),
          ...patient,
          name: 'browser',
          globalSetup: 'tests/browser/support/build.ts',
          include: ['tests/browser/**/*.test.ts', 'tests/attacks/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
    ],
  },
})
