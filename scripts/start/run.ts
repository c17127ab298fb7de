/** Runs the demonstration: builds, starts servers and browser, then waits for the user or runs the scripted user. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'puppeteer-core'
import { type BrowserName, ensureBrowsers, findBrowser, openBrowser } from '../browsers.ts'
import { buildModes } from '../build.ts'
import { copyExtension } from '../extension-copy.ts'
import type { Cleanup } from './cleanup.ts'
import { readExchanges } from './exchanges.ts'
import type { StartOptions } from './options.ts'
import { runMainJob } from './scripted-user.ts'
import { formatSequence } from './sequence-chart.ts'
import { type Servers, startServers } from './servers.ts'

const BUILDS = fileURLToPath(new URL('../../dist', import.meta.url))
const OUTPUT = fileURLToPath(new URL('../../demo-output', import.meta.url))

const printLine = (line = '') => console.log(line)

function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** Prefers Chromium and related browsers; uses Firefox if it is the only one and has a window. */
async function chooseBrowser(headless: boolean): Promise<BrowserName> {
  if (await findBrowser('chromium')) return 'chromium'
  if (!headless && (await findBrowser('firefox'))) return 'firefox'
  await ensureBrowsers(['chromium'], printLine)
  return 'chromium'
}

async function openWithExtension(
  name: BrowserName,
  servers: Servers,
  headless: boolean,
  cleanup: Cleanup,
): Promise<Browser> {
  // With ID tokens the broker renews the grants of the demonstration by a silent authorization.
  const profiles = servers.network.operatorProfiles.map((profile) => ({
    ...profile,
    openid: 'required' as const,
  }))
  const extension = await copyExtension(name, profiles, BUILDS)
  cleanup.addStep(extension.remove)
  const profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
  cleanup.addStep(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  const browser = await openBrowser(name, { extension: extension.path, headless, profile })
  cleanup.addStep(() => browser.close())
  return browser
}

async function runScriptedUser(browser: Browser, servers: Servers): Promise<void> {
  const result = await runMainJob(browser, servers, OUTPUT, printLine)
  const { clientId = '', scsAsId } = servers.config
  const exchanges = readExchanges(servers.network.log, clientId, scsAsId)
  printLine()
  for (const line of formatSequence(exchanges)) printLine(line)
  printLine(`The application shows: ${result.status}`)
  printLine(result.body)
  printLine()
  printLine(`Downlink that the application measured: ${result.rates.join(' before, ')} after`)
  printLine()
  for (const file of result.screenshots) printLine(`Screenshot: ${relative(process.cwd(), file)}`)
}

async function waitForUser(browser: Browser, servers: Servers): Promise<void> {
  const [first] = await browser.pages()
  const page = first ?? (await browser.newPage())
  await page.goto(servers.site.origin)
  const [subscriber] = servers.network.subscribers.all
  printLine()
  printLine(`The application is open: ${servers.site.origin}`)
  if (subscriber) {
    printLine(`Sign in as ${subscriber.phoneNumber}, password "${subscriber.password}".`)
  }
  printLine('Close the browser or press Ctrl-C to stop.')
  await new Promise<void>((resolve) => browser.once('disconnected', () => resolve()))
}

/** @param cleanup Collects what has to be stopped or removed; the caller runs it. */
export async function runDemonstration(options: StartOptions, cleanup: Cleanup): Promise<void> {
  const headless = options.headless || !hasDisplay()
  const name = await chooseBrowser(headless)
  await buildModes([`${name}-development`, 'demo-site'], BUILDS, printLine)
  const servers = await startServers(options.port)
  cleanup.addStep(servers.close)
  printLine(`Application:            ${servers.site.origin}`)
  printLine(`Authorization function: ${servers.network.issuer}`)
  printLine(`APIs:                   ${servers.network.apisOrigin}`)
  if (headless && !options.headless) printLine('No display: carrying out the main job here.')
  const browser = await openWithExtension(name, servers, headless, cleanup)
  await (headless ? runScriptedUser : waitForUser)(browser, servers)
  if (!options.keep) return
  // The user may have closed the browser already.
  await browser.close().catch(() => {})
  printLine('The servers go on; Ctrl-C stops them.')
  await new Promise(() => {})
}
