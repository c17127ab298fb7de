/**
 * Implements `npm run interop -- keycloak --browser firefox`: runs the life of two grants against an authorization
 * server that runs on this machine. README.md says how to start each server.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BrowserName, browserVersion, ensureBrowsers } from '../../scripts/browsers.ts'
import { buildModes } from '../../scripts/build.ts'
import { runSteps } from './run.ts'
import { SERVERS } from './servers.ts'
import { startInterop } from './stage.ts'
import { startUser } from './user.ts'

function parseBrowser(value: string): BrowserName {
  if (value === 'chromium' || value === 'firefox') return value
  throw new Error('--browser: expected chromium or firefox')
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    browser: { type: 'string', default: 'chromium' },
    /** Prints the broker's own log after the steps. */
    log: { type: 'boolean', default: false },
  },
})
const browser = parseBrowser(values.browser)
const [name = ''] = positionals
const server = SERVERS[name]
if (!server) throw new Error(`expected one of ${Object.keys(SERVERS).join(', ')}`)

await ensureBrowsers([browser])
const builds = await mkdtemp(join(tmpdir(), 'northkey-interop-'))
try {
  await buildModes([`${browser}-development`], builds)
  const stage = await startInterop(name, browser, builds)
  const { issuer, signInOrigin = '' } = stage.profile
  const origins = new Set([new URL(issuer).origin, signInOrigin, ...(server.origins ?? [])])
  const user = startUser(stage.browser, origins, server.forms)
  console.log(`${server.title}, ${await browserVersion(browser)}`)
  try {
    await runSteps(stage, user, ({ step, found, failure }) => {
      console.log(
        failure === undefined ? `passed  ${step}: ${found}` : `FAILED  ${step}: ${failure}`,
      )
      if (failure !== undefined) process.exitCode = 1
    })
    for (const page of user.listUnknownPages()) console.log(`page without a known form: ${page}`)
    if (values.log) for (const entry of await stage.readLog()) console.log(JSON.stringify(entry))
  } finally {
    await user.leave()
    await stage.close()
  }
} finally {
  await rm(builds, { recursive: true, force: true })
}
