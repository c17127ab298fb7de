/**
 * Chromium stops a worker that has had nothing to do for half a minute. A debugger keeps workers alive,
 * so there is none here: the browser is started as a user starts it, the page reports to its own
 * server, and the end of the worker is seen by the end of the extension's process. Firefox has no such
 * worker.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBrowser } from '../../scripts/browsers.ts'
import type { Grant } from '../../shared/messages/page-api.ts'
import { until } from './pages.ts'
import { call, type Stage, signInPage, startStage, tokenRequests } from './stage.ts'

const run = promisify(execFile)

/** Calls the API whenever its server says so, and tells the server what came of it. */
const drive = (url: string) => `<script type="module">
while (!(await broker())) {}
for (let step = 1; ; step++) {
  while ((await (await fetch('/go')).text()) < step) await new Promise((go) => setTimeout(go, 250))
  const { result, error } = await call('northbound_fetch', { url: ${JSON.stringify(url)} })
  await fetch('/report?' + step + '=' + (result?.status ?? encodeURIComponent(error.message)))
}
</script>`

/** Processes of the extension below the one of the browser. */
async function extensionProcesses(browser: ChildProcess): Promise<number> {
  const { stdout } = await run('ps', ['-axo', 'pid=,ppid=,command='], { maxBuffer: 2 ** 26 })
  const rows = stdout.split('\n').map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [])
  const parents = new Map(rows.map(([, pid, parent]) => [pid, parent]))
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(browser.pid) || isOurs(parents.get(pid)))
  return rows.filter(
    ([, pid, , command]) => command?.includes('--extension-process') && isOurs(pid),
  ).length
}

describe('in chromium, without a debugger', () => {
  let profile: string
  let stage: Stage
  let browser: ChildProcess | undefined

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
    stage = await startStage('chromium', { profile, requireConsent: false })
    // The operator knows the subscriber by the network, so that no window is needed later.
    stage.network.accessNetwork.attach('127.0.0.1', 'mira')
    const page = await stage.open()
    const connecting = call<Grant>(page, 'northbound_connect', stage.wish())
    const operator = await signInPage(stage)
    await operator.waitForSelector('[data-form=consent]')
    await operator.click('[data-form=consent] [value=allow]')
    expect((await connecting).error).toBeUndefined()
    const process = stage.browser.process()
    const ended = new Promise((resolve) => process?.once('exit', resolve))
    await stage.browser.close()
    // Its profile is free when its process is gone.
    if (process?.exitCode === null && process.signalCode === null) await ended
  })
  afterAll(async () => {
    browser?.kill()
    await stage?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  })

  test('L08: after its natural end, the next call wakes the worker, and it has the token still', async () => {
    const { application, network, outside } = stage
    const url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    application.routes.set('/drive', { html: drive(url) })
    const go = (step: number) => application.routes.set('/go', { html: String(step), raw: true })
    const report = (step: number) =>
      until(
        `report ${step}`,
        async () => application.requests.find((line) => line.includes(`/report?${step}=`)),
        30_000,
      )
    go(1)
    network.log.clear()
    browser = spawn(
      (await findBrowser('chromium')) ?? '',
      [
        '--headless=new',
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--no-first-run',
        '--disable-background-networking',
        '--disable-features=DisableLoadExtensionCommandLineSwitch',
        `--proxy-server=${outside.address}`,
        `--user-data-dir=${profile}`,
        `--load-extension=${stage.extensionPath}`,
        `${application.origin}/drive`,
      ],
      { stdio: 'ignore' },
    )
    expect(await report(1)).toBe('GET /report?1=200')
    expect(await extensionProcesses(browser)).toBe(1)
    const renewed = tokenRequests(stage).length
    expect(renewed).toBeGreaterThan(0)

    const child = browser
    await until(
      'the end of the worker',
      async () => (await extensionProcesses(child)) === 0,
      60_000,
    )
    go(2)
    expect(await report(2)).toBe('GET /report?2=200')
    expect(await extensionProcesses(browser)).toBe(1)
    expect(tokenRequests(stage)).toHaveLength(renewed)
  }, 120_000)
})
