/**
 * Unit suite of the core in all of its runtimes: the same test files, built once, run in a page, a worker and a
 * service worker.
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'puppeteer-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BrowserName, ensureBrowsers, openBrowser } from '../../scripts/browsers.ts'
import type { Report } from '../shared/runtimes/run.ts'
import { closeServer } from './authorization-server.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const LIMIT_MS = 240_000

let server: Server
let origin: string

async function bundle(): Promise<string> {
  const result = await build({
    root: path('../..'),
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { vitest: path('../shared/runtimes/vitest.ts') } },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: path('../shared/runtimes/run.ts'),
        // A service worker cannot import modules after its installation.
        output: { format: 'es', codeSplitting: false },
      },
    },
  })
  const { output } = (Array.isArray(result) ? result[0] : result) as { output: { code: string }[] }
  expect(output).toHaveLength(1)
  return output[0]?.code ?? ''
}

beforeAll(async () => {
  await ensureBrowsers(['chromium', 'firefox'])
  const code = await bundle()
  server = createServer((request, response) => {
    const isScript = request.url === '/suite.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? code : '<!doctype html><title>suite</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}, LIMIT_MS)

afterAll(() => closeServer(server))

/** Functions that run the suite from a page, as text, so that no build transforms them. */
const RUNS = {
  page: `async () => { await import('/suite.js'); return globalThis.runSuite() }`,
  worker: `() => new Promise((resolve, reject) => {
    const worker = new Worker('/suite.js', { type: 'module' })
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = (event) => reject(new Error(event.message))
    worker.postMessage('run')
  })`,
  'service worker': `async () => {
    await navigator.serviceWorker.register('/suite.js', { type: 'module' })
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    const report = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data) })
    active.postMessage('run', [port2])
    return report
  }`,
} as const

const SCOPES = {
  page: '[object Window]',
  worker: '[object DedicatedWorkerGlobalScope]',
  'service worker': '[object ServiceWorkerGlobalScope]',
} as const

describe.each<[BrowserName, (keyof typeof RUNS)[]]>([
  ['chromium', ['page', 'worker', 'service worker']],
  ['firefox', ['page', 'worker']],
])('the unit suite of the core in %s', (name, runtimes) => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser(name)
  }, LIMIT_MS)

  afterAll(() => browser?.close())

  test.each(runtimes)(
    'passes in a %s',
    async (runtime) => {
      const page = await browser.newPage()
      page.setDefaultTimeout(LIMIT_MS)
      await page.goto(origin)
      const report = (await page.evaluate(`(${RUNS[runtime]})()`)) as Report
      expect(report.failed).toEqual([])
      expect(report.runtime).toBe(SCOPES[runtime])
      // The complete suite ran, and not a part of it.
      expect(report.passed).toBeGreaterThan(600)
      await page.close()
    },
    LIMIT_MS,
  )
})
