/** One run of the demonstration: build, servers, browser, and then the user's turn or the script's. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'puppeteer-core'
import { type BrowserName, ensureBrowsers, findBrowser, openBrowser } from '../browsers.ts'
import { buildModes } from '../build.ts'
import { copyExtension } from '../extension-copy.ts'
import { readExchanges } from './exchanges.ts'
import type { StartOptions } from './options.ts'
import { type Servers, startServers } from './servers.ts'
import { story } from './story.ts'
import type { Undo } from './undo.ts'
import { walk } from './walk.ts'

const BUILDS = fileURLToPath(new URL('../../dist', import.meta.url))
const OUTPUT = fileURLToPath(new URL('../../demo-output', import.meta.url))

const say = (line = '') => console.log(line)

function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** Chromium and its kin first; Firefox where a user can see it and there is nothing else. */
async function chooseBrowser(headless: boolean): Promise<BrowserName> {
  if (await findBrowser('chromium')) return 'chromium'
  if (!headless && (await findBrowser('firefox'))) return 'firefox'
  await ensureBrowsers(['chromium'], say)
  return 'chromium'
}

async function openWithExtension(
  name: BrowserName,
  servers: Servers,
  headless: boolean,
  undo: Undo,
): Promise<Browser> {
  const extension = await copyExtension(name, servers.network.operatorProfiles, BUILDS)
  undo.add(extension.remove)
  const profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
  undo.add(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  const browser = await openBrowser(name, { extension: extension.path, headless, profile })
  undo.add(() => browser.close())
  return browser
}

async function byItself(browser: Browser, servers: Servers): Promise<void> {
  const shown = await walk(browser, servers, OUTPUT, say)
  const { clientId = '', scsAsId } = servers.config
  const exchanges = readExchanges(servers.network.log, clientId, scsAsId)
  say()
  for (const line of story(exchanges)) say(line)
  say(`The application shows: ${shown.status}`)
  say(shown.body)
  say()
  say(`Downlink that the application measured: ${shown.rates.join(' before, ')} after`)
  say()
  for (const file of shown.screenshots) say(`Screenshot: ${relative(process.cwd(), file)}`)
}

async function forTheUser(browser: Browser, servers: Servers): Promise<void> {
  const [first] = await browser.pages()
  const page = first ?? (await browser.newPage())
  await page.goto(servers.site.origin)
  const [subscriber] = servers.network.subscribers.all
  say()
  say(`The application is open: ${servers.site.origin}`)
  if (subscriber) {
    say(`Sign in as ${subscriber.phoneNumber}, password "${subscriber.password}".`)
  }
  say('Close the browser or press Ctrl-C to stop.')
  await new Promise<void>((resolve) => browser.once('disconnected', () => resolve()))
}

/** @param undo Takes whatever was started, to be stopped by the caller. */
export async function run(options: StartOptions, undo: Undo): Promise<void> {
  const headless = options.headless || !hasDisplay()
  const name = await chooseBrowser(headless)
  await buildModes([`${name}-development`, 'demo-site'], BUILDS, say)
  const servers = await startServers(options.port)
  undo.add(servers.close)
  say(`Application:            ${servers.site.origin}`)
  say(`Authorization function: ${servers.network.issuer}`)
  say(`APIs:                   ${servers.network.apisOrigin}`)
  if (headless && !options.headless) say('No display: carrying out the main job here.')
  const browser = await openWithExtension(name, servers, headless, undo)
  await (headless ? byItself : forTheUser)(browser, servers)
  if (!options.keep) return
  // The user may have closed it already.
  await browser.close().catch(() => {})
  say('The servers go on; Ctrl-C stops them.')
  await new Promise(() => {})
}
