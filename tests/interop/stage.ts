/**
 * Puts a server of this machine, the built extension with the server's profile, an application and the APIs of the
 * profile together. The profile is a file; its ports are fixed, since the server has them in its own settings.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import type { BrowserName } from '../../scripts/browsers.ts'
import { copyExtension } from '../../scripts/extension-copy.ts'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { LogEntry } from '../../shared/messages/screen-channel.ts'
import { startApplication } from '../browser/support/application.ts'
import { openHost } from '../browser/support/browser-host.ts'
import { addressOf, openPage, until } from '../browser/support/pages.ts'
import { type ApiServer, startApi } from './api.ts'

export interface InteropStage {
  browser: Browser
  profile: OperatorProfile
  /** The server's metadata. */
  metadata: Readonly<Record<string, unknown>>
  api: ApiServer
  /** A tab of the application. */
  page: Page
  /** Reads the broker's own log, the oldest entry first. */
  readLog(): Promise<LogEntry[]>
  close(): Promise<void>
}

/** Limits of the product for a user who is quicker than a person. */
const LIMITS = {
  CONSENT_INERT_MS: 50,
  TRANSIENT_ACTIVATION_MS: 0,
  ACTIVATION_LIFETIME_MS: 60_000,
}

export async function readServerProfile(name: string): Promise<OperatorProfile> {
  return JSON.parse(await readFile(join(import.meta.dirname, name, 'profile.json'), 'utf8'))
}

/** Addresses of a server's metadata. @see RFC 8414 section 3.1, OpenID Connect Discovery section 4 */
function listWellKnown(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

/** Reads the metadata as an observer. @throws Error when no address has a document: the server is not there. */
async function readMetadata({ issuer, metadata }: OperatorProfile): Promise<object> {
  for (const url of listWellKnown(issuer)) {
    const answer = await fetch(url).catch(() => undefined)
    const text = answer?.ok ? await answer.text() : ''
    if (text.startsWith('{')) return { ...JSON.parse(text), ...metadata }
  }
  if (metadata) return metadata
  throw new Error(`${issuer}: expected a server there, with metadata`)
}

/** Asks the broker as one of its own screens. */
async function readBrokerLog(browser: Browser, brokerOrigin: string): Promise<LogEntry[]> {
  const screen = await browser.newPage()
  const path = '/ui/sites/index.html'
  void screen.goto(brokerOrigin + path).catch(() => {})
  await until('the screen', async () => (await addressOf(screen)).includes(path))
  await screen.waitForSelector('#screen > *')
  const entries = (await screen.evaluate(() =>
    (
      globalThis as unknown as {
        chrome: { runtime: { sendMessage(message: object): Promise<unknown> } }
      }
    ).chrome.runtime.sendMessage({ type: 'screenRequest', method: 'readLog', params: {} }),
  )) as LogEntry[]
  await screen.close()
  return [...entries].sort((left, right) => left.at - right.at)
}

/** @param builds Folder with a development build for the browser. */
export async function startInterop(
  server: string,
  browserName: BrowserName,
  builds: string,
): Promise<InteropStage> {
  const profile = await readServerProfile(server)
  const metadata = (await readMetadata(profile)) as Record<string, unknown>
  const [origin = ''] = profile.applications?.[0]?.origins ?? []
  const [firstApi] = profile.apis
  if (!firstApi || origin === '') throw new Error(`${server}: expected an API and an application`)
  const { jwks_uri } = metadata
  const api = await startApi(
    Number(new URL(firstApi.resource).port),
    typeof jwks_uri === 'string' ? jwks_uri : undefined,
  )
  const application = await startApplication('127.0.0.1', Number(new URL(origin).port))
  const extension = await copyExtension(browserName, [profile], builds, undefined, LIMITS)
  const host = await openHost(browserName)
  const brokerOrigin = await host.install(extension.path)
  const page = await openPage(host.browser, application.origin)
  return {
    browser: host.browser,
    profile,
    metadata,
    api,
    page,
    readLog: () => readBrokerLog(host.browser, brokerOrigin),
    async close() {
      await host.close()
      await Promise.all([api.close(), application.close(), extension.remove()])
    },
  }
}
