/**
 * Starts an application with https on a host of its own, behind the proxy, and a browser in which a test
 * answers the permission prompt for a site. No driver can press the button of that prompt, so:
 *
 * - Chromium loads the build with its optional hosts as withheld hosts. The browser's own page of extensions
 *   grants and withdraws them, host by host, as a user does there.
 * - Firefox grants every request by a preference. The withdrawal is the same as a user's.
 */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { inject } from 'vitest'
import { startNetwork } from '../../../demo-site/network/index.ts'
import { CHROMIUM_ID, REDIRECT_BASE } from '../../../extension/identity.ts'
import type { BrowserName } from '../../../scripts/browsers.ts'
import { copyExtension, type ExtensionCopy } from '../../../scripts/extension-copy.ts'
import type { ProviderDetail, RequestArguments } from '../../../shared/messages/page-api.ts'
import type { ScreenAnswer, Site } from '../../../shared/messages/screen-channel.ts'
import { startApplication } from './application.ts'
import type { BrowserHost } from './browser-host.ts'
import { openExtensionsPage } from './extensions-page.ts'
import { openTab, until } from './pages.ts'
import type { Called, Stage } from './stage.ts'
import { CLIENT_ID, openScreen, SHORT_LIMITS } from './stage.ts'

export const SITE = 'https://play.example'
export const OTHER_SITE = 'https://other.example'

export interface SitesStage extends Stage {
  /** Grants the permission for a site in the browser; for Firefox in a screen of the broker. */
  give(screen: Page, origin: string): Promise<void>
  /** Grants the permission for every https site. */
  giveAll(screen: Page): Promise<void>
  /** Withdraws the permission in the browser's own settings. */
  takeBack(screen: Page, origin: string): Promise<void>
}

interface SessionStorage {
  storage: { session: { remove(key: string): Promise<void> } }
}

interface Extensions {
  developerPrivate: Record<string, (...args: unknown[]) => Promise<unknown>>
  permissions: Record<'request' | 'remove', (what: { origins: string[] }) => Promise<boolean>>
}

/** Withholds the optional hosts until the user grants them. */
async function withholdHosts(extension: string): Promise<void> {
  const path = join(extension, 'manifest.json')
  const { optional_host_permissions, ...manifest } = JSON.parse(await readFile(path, 'utf8'))
  manifest.host_permissions.push(...optional_host_permissions)
  await writeFile(path, JSON.stringify(manifest))
}

function developer(page: Page, name: string, ...args: unknown[]): Promise<unknown> {
  return page.evaluate(
    (method, given) =>
      (globalThis as unknown as { chrome: Extensions }).chrome.developerPrivate[method]?.(
        ...(given as unknown[]),
      ),
    name,
    args as never,
  )
}

/** Clicks on the title of the screen, since Firefox requires a user gesture. */
async function permissions(
  page: Page,
  name: 'request' | 'remove',
  origin: string,
): Promise<boolean> {
  await page.evaluate(
    (method, pattern) => {
      const title = document.querySelector('h1') as HTMLElement & { done?: Promise<boolean> }
      title.onclick = () => {
        const { permissions } = (globalThis as unknown as { chrome: Extensions }).chrome
        title.done = permissions[method]({ origins: [pattern] })
      }
    },
    name,
    `${origin}/*`,
  )
  await page.click('h1')
  return page.evaluate(
    () => (document.querySelector('h1') as HTMLElement & { done?: Promise<boolean> }).done ?? false,
  )
}

/** Copies the released build. */
async function copyReleased(name: BrowserName): Promise<ExtensionCopy> {
  const path = await mkdtemp(join(tmpdir(), 'northkey-released-'))
  await cp(join(inject('builds'), name), path, { recursive: true })
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Sites that the extension may enter, from the browser's own page of extensions. */
function setHostAccess(settings: Page, hostAccess: 'ON_SPECIFIC_SITES' | 'ON_ALL_SITES') {
  const change = { extensionId: CHROMIUM_ID, hostAccess }
  return developer(settings, 'updateExtensionConfiguration', change)
}

/**
 * Puts a network, an application on https hosts and a new installation of the extension into a browser.
 *
 * @param build The released build sends no requests to loopback, so it cannot reach the network of the stage.
 */
export async function startSitesStage(
  host: BrowserHost,
  build: 'development' | 'released' = 'development',
): Promise<SitesStage> {
  const { name, browser, outside } = host
  const application = await startApplication()
  const network = await startNetwork({
    applications: [{ clientId: CLIENT_ID, name: 'Cloud gaming', origins: [SITE, OTHER_SITE] }],
    redirectBases: Object.values(REDIRECT_BASE),
  })
  const extension =
    build === 'released'
      ? await copyReleased(name)
      : await copyExtension(
          name,
          network.operatorProfiles,
          inject('builds'),
          undefined,
          SHORT_LIMITS,
        )
  if (name === 'chromium') await withholdHosts(extension.path)
  const brokerOrigin = await host.install(extension.path)
  const settings = name === 'chromium' ? await openExtensionsPage(host) : undefined
  if (settings) {
    await setHostAccess(settings, 'ON_SPECIFIC_SITES')
    // The hosts of the development build are also withheld then.
    const loopback = build === 'released' ? [] : ['localhost', '*.localhost', '127.0.0.1']
    for (const host of loopback) {
      await developer(settings, 'addHostPermission', CHROMIUM_ID, `http://${host}/*`)
    }
    await developer(settings, 'addHostPermission', CHROMIUM_ID, `${REDIRECT_BASE.chromium}*`)
  }
  const api = network.operatorProfiles[0]?.apis.find(({ resource }) =>
    resource.includes('as-session-with-qos'),
  )
  const [subscriber] = network.subscribers.all
  if (!subscriber) throw new Error('subscribers: expected at least one')
  return {
    name,
    browser,
    network,
    application,
    outside,
    extensionPath: extension.path,
    redirectBase: REDIRECT_BASE[name],
    brokerOrigin,
    requireConsent: true,
    subscriber,
    async open(origin = SITE) {
      const page = await openTab(browser)
      await page.goto(origin)
      return page
    },
    wish: (wishes = {}) => ({
      issuer: network.issuer,
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
      ...wishes,
    }),
    async give(screen, origin) {
      if (settings) await developer(settings, 'addHostPermission', CHROMIUM_ID, `${origin}/*`)
      else if (!(await permissions(screen, 'request', origin))) throw new Error('not given')
    },
    async giveAll(screen) {
      if (settings) await setHostAccess(settings, 'ON_ALL_SITES')
      else if (!(await permissions(screen, 'request', 'https://*'))) throw new Error('not given')
    },
    async takeBack(screen, origin) {
      if (settings) await developer(settings, 'removeHostPermission', CHROMIUM_ID, `${origin}/*`)
      else await permissions(screen, 'remove', origin)
    },
    async close() {
      if (browser.connected) await host.reset()
      await Promise.all([network.close(), application.close(), extension.remove()])
    },
  }
}

/**
 * Makes a call from a page without test code. Returns `undefined` if there is no broker. A page that has found the
 * provider keeps it until the page is reloaded.
 */
export function ask<T>(
  page: Page,
  method: string,
  params?: object,
): Promise<Called<T> | undefined> {
  return page.evaluate(
    async (name, given) => {
      window.addEventListener(
        'northbound:announceProvider',
        (event) => {
          window.detail = (event as CustomEvent).detail
        },
        { once: true },
      )
      // The broker entered before the scripts of the page, and announces itself synchronously during this event.
      if (!window.detail) window.dispatchEvent(new Event('northbound:requestProvider'))
      const detail = window.detail as ProviderDetail | undefined
      if (!detail) return undefined
      try {
        const call = { method: name, params: given } as RequestArguments
        return { result: await detail.provider.request(call) }
      } catch (error) {
        const { code, message, data } = error as Error & { code: number; data: unknown }
        return { error: { code, message, data } }
      }
    },
    method,
    params as never,
  ) as Promise<Called<T> | undefined>
}

/** Sets the title of the page to `disconnected` at the event `disconnect`. */
export function listenForDisconnect(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.addEventListener(
      'northbound:announceProvider',
      (event) => {
        const { provider } = (event as CustomEvent<ProviderDetail>).detail
        provider.on('disconnect', () => {
          document.title = 'disconnected'
        })
      },
      { once: true },
    )
    window.dispatchEvent(new Event('northbound:requestProvider'))
  })
}

/**
 * Sends a request to the background as the broker's own screens do.
 *
 * @throws Error with the message of the background's error.
 */
export function askBackground<T>(screen: Page, method: string, params: object): Promise<T> {
  return screen.evaluate(
    async (name, given) => {
      const { chrome } = globalThis as unknown as {
        chrome: { runtime: { sendMessage(message: object): Promise<ScreenAnswer<T>> } }
      }
      const message = { type: 'screenRequest', method: name, params: given }
      const answer = await chrome.runtime.sendMessage(message)
      if ('error' in answer) throw new Error(answer.error)
      return answer.result
    },
    method,
    params as never,
  ) as Promise<T>
}

/** Opens the page of the popup in a tab. */
export const openPopup = (stage: Stage): Promise<Page> => openScreen(stage)

export const siteOf = (screen: Page, origin: string): Promise<Site> =>
  askBackground<Site>(screen, 'getSite', { origin })

/** Switches a site on in the popup, and grants the browser's permission. */
export async function switchSiteOn(stage: SitesStage, popup: Page, origin: string): Promise<void> {
  const { permissions } = await siteOf(popup, origin)
  await askBackground(popup, 'openPermissionRequest', { permissions, site: { origin } })
  await popup.bringToFront()
  await stage.give(popup, origin)
  await until('the site', async () => (await siteOf(popup, origin)).state === 'on')
}

/**
 * Forgets the windows that opened, as time does. A click counts only some seconds after the last window of its
 * origin, and a released build has no shorter limits.
 */
export async function forgetWindows(screen: Page): Promise<void> {
  await screen.evaluate(() =>
    (globalThis as unknown as { chrome: SessionStorage }).chrome.storage.session.remove(
      'openedWindows',
    ),
  )
}
