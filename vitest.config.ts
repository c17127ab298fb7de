import { defineConfig } from 'vitest/config'

const node = { environment: 'node', pool: 'forks' } as const

export default defineConfig({
  test: {
    projects: [
      { test: { ...node, name: 'shared', include: ['tests/{shared,vectors}/**/*.test.ts'] } },
      { test: { ...node, name: 'extension', include: ['tests/extension/**/*.test.{ts,tsx}'] } },
      { test: { ...node, name: 'demo-site', include: ['tests/demo-site/**/*.test.{ts,tsx}'] } },
      {
        test: {
          ...node,
          name: 'network',
          include: ['tests/network/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
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
          name: 'browser',
          globalSetup: 'tests/browser/build.ts',
          include: ['tests/browser/**/*.test.ts', 'tests/attacks/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
