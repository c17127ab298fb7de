/** Runs the complete unit suite in a page, in a worker or in a service worker, and reports the results. */

/// <reference types="vite/client" />

import { startTests, type VitestRunner } from '@vitest/runner'
import type { Task } from '@vitest/runner/types'

export interface Report {
  passed: number
  failed: string[]
  files: number
  runtime: string
}

const files = import.meta.glob<unknown>([
  '../**/*.test.ts',
  '!../**/*.node.test.ts',
  '../../vectors/**/*.test.ts',
  '!../../vectors/**/*.node.test.ts',
])

async function run(): Promise<Report> {
  const runner: VitestRunner = {
    config: {
      root: '/',
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: 30_000,
      hookTimeout: 30_000,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: (path) => files[path]?.(),
  }
  const paths = Object.keys(files)
  const results = await startTests(
    paths.map((filepath) => ({ filepath })),
    runner,
  )
  const report: Report = {
    passed: 0,
    failed: [],
    files: paths.length,
    runtime: Object.prototype.toString.call(globalThis),
  }
  for (const result of results) count(result, result.name, report)
  return report
}

function count(task: Task, title: string, report: Report): void {
  if (task.type === 'suite') {
    if (task.result?.state === 'fail' && task.result.errors?.length) {
      report.failed.push(`${title}: ${task.result.errors[0]?.message}`)
    }
    for (const child of task.tasks) count(child, `${title} › ${child.name}`, report)
  } else if (task.result?.state === 'pass') report.passed++
  else report.failed.push(`${title}: ${task.result?.errors?.[0]?.message ?? task.result?.state}`)
}

Object.assign(globalThis, { runSuite: run })

addEventListener('message', (event) => {
  const { data, ports } = event as MessageEvent<unknown>
  if (data !== 'run') return
  const work = run().then((report) => {
    const port = ports[0]
    if (port !== undefined) port.postMessage(report)
    else postMessage(report)
  })
  // A service worker is not stopped before the promise of its event settles.
  const { waitUntil } = event as unknown as { waitUntil?: (work: Promise<unknown>) => void }
  waitUntil?.call(event, work)
})
