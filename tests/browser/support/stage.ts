/**
 * Everything a browser test needs: a network, an application, and a browser with the built extension,
 * all of them real. The servers' request logs are the oracle.
 */

import type { Browser, Page } from 'puppeteer-core'
import { inject } from 'vitest'
import {
  type LogEntry,
  type Network,
  type NetworkOptions,
  startNetwork,
} from '../../../demo-site/network/index.ts'
import { CHROMIUM_ID, REDIRECT_BASE } from '../../../extension/identity.ts'
import { type BrowserName, openBrowser } from '../../../scripts/browsers.ts'
import { copyExtension } from '../../../scripts/extension-copy.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type {
  ConnectParams,
  Grant,
  ProviderErrorObject,
} from '../../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from './application.ts'
import { type Outside, startOutside } from './outside.ts'
import { addressOf, gone, pageAt, pagesAt, until } from './pages.ts'

export const BROWSERS: BrowserName[] = ['chromium', 'firefox']

export type Called<T> =
  | { result: T; error?: never }
  | { error: ProviderErrorObject; result?: never }

declare global {
  interface Window {
    call(method: string, params?: object): Promise<unknown>
    broker(timeoutMs?: number): Promise<unknown>
    seen: unknown[]
    detail: unknown
  }
}

export interface Stage {
  name: BrowserName
  browser: Browser
  network: Network
  application: ApplicationServer
  redirectBase: string
  /** Folder of the extension as this stage's browser loaded it. */
  extensionPath: string
  /** Everything that tried to leave this machine. */
  outside: Outside
  /** Origin of the broker's own pages, known once one of them was seen. */
  brokerOrigin: string | undefined
  /** A new tab of the application. */
  open(path?: string): Promise<Page>
  /** The wish for better QoS that most tests make. */
  wish(more?: Partial<ConnectParams>): ConnectParams
  close(): Promise<void>
}

/** Every parameter in the front channel, where a test can read it and tamper with it. */
const PLAIN = { pushedAuthorizationRequests: 'never', dpop: 'never' } as const

export const CLIENT_ID = 'cloud-gaming'

export async function startStage(
  name: BrowserName,
  more: Partial<Omit<NetworkOptions, 'operator'>> & {
    profile?: string
    /** Changes to the operator's profile before the broker gets it. */
    operator?: Partial<OperatorProfile>
    /** More operators, as a function of the application's origin. */
    others?: (origin: string) => Promise<OperatorProfile[]>
    /** Whether the broker's own consent window comes. Default: true. */
    requireConsent?: boolean
    /** Whether the browser takes any certificate. Default: true. */
    acceptInsecureCerts?: boolean
    /** Changes to the extension's folder before the browser loads it. */
    prepareExtension?: (path: string) => Promise<void>
  } = {},
): Promise<Stage> {
  const { profile, operator, others, requireConsent = true, ...rest } = more
  const { acceptInsecureCerts = true, prepareExtension, ...networkOptions } = rest
  const application = await startApplication()
  const network = await startNetwork({
    applications: [{ clientId: CLIENT_ID, name: 'Cloud gaming', origins: [application.origin] }],
    redirectBases: Object.values(REDIRECT_BASE),
    ...networkOptions,
  })
  const outside = await startOutside()
  const operators = [
    ...network.operatorProfiles.map((each) => ({ ...each, ...PLAIN, ...operator })),
    ...((await others?.(application.origin)) ?? []).map((each) => ({ ...each, ...PLAIN })),
  ].map((each) => ({
    ...each,
    applications: each.applications?.map((one) => ({ ...one, requireConsent })) ?? [],
  }))
  const extension = await copyExtension(name, operators, inject('builds'))
  await prepareExtension?.(extension.path)
  const browser = await openBrowser(name, {
    extension: extension.path,
    proxy: outside.address,
    acceptInsecureCerts,
    ...(profile ? { profile } : {}),
  })
  const api = network.operatorProfiles[0]?.apis.find(({ resource }) =>
    resource.includes('as-session-with-qos'),
  )
  const stage: Stage = {
    name,
    browser,
    network,
    application,
    redirectBase: REDIRECT_BASE[name],
    extensionPath: extension.path,
    outside,
    brokerOrigin: name === 'chromium' ? `chrome-extension://${CHROMIUM_ID}` : undefined,
    async open(path = '/') {
      const page = await stage.browser.newPage()
      await page.goto(application.origin + path)
      return page
    },
    wish: (wishes = {}) => ({
      issuer: network.issuer,
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
      ...wishes,
    }),
    async close() {
      await stage.browser.close()
      await Promise.all([
        // A test may have put another in the place of the first.
        stage.network.close(),
        application.close(),
        outside.close(),
        extension.remove(),
      ])
    },
  }
  return stage
}

/** A call through the page contract, with the user gesture that a driver's script brings along. */
export function call<T>(page: Page, method: string, params?: object): Promise<Called<T>> {
  const called = page.evaluate(
    (name, given) => window.call(name, given),
    method,
    params as Record<string, unknown>,
  ) as Promise<Called<T>>
  // A test that fails before it looks at the answer closes the page, and that is no error more.
  called.catch(() => {})
  return called
}

/** The user's half in the broker's own window. */
export async function answerConsent(stage: Stage, answer: 'allow' | 'deny'): Promise<void> {
  const consent = await pageAt(stage.browser, '/ui/consent/')
  stage.brokerOrigin ??= new URL(await addressOf(consent)).href.split('/ui/')[0]
  await consent.bringToFront()
  await consent.waitForSelector(`[data-testid=${answer}]:not([disabled])`)
  await consent.click(`[data-testid=${answer}]`)
}

/** One of the broker's own pages, in a tab of its own. */
export async function openScreen(
  stage: Pick<Stage, 'browser' | 'brokerOrigin'>,
  path = '/ui/popup/index.html',
): Promise<Page> {
  const page = await stage.browser.newPage()
  // Firefox's driver does not hear that such a page has loaded; the page itself tells.
  void page.goto(stage.brokerOrigin + path).catch(() => {})
  await until('the screen', async () => (await addressOf(page)).includes(path))
  await page.waitForSelector('#screen > *')
  return page
}

/**
 * As if the user had waited since: what was refused before keeps no window shut now. Where nothing was
 * asked yet, there is nothing to forget.
 */
export async function forgetRefusals(stage: Stage): Promise<void> {
  if (stage.brokerOrigin === undefined) return
  const screen = await openScreen(stage)
  await screen.evaluate(() =>
    (
      globalThis as unknown as {
        chrome: { storage: { session: { remove(name: string): Promise<void> } } }
      }
    ).chrome.storage.session.remove('refusals'),
  )
  await screen.close()
}

/**
 * A new tab of the application in the place of another, and nothing of before in the broker: no window that
 * is open, no refusal, no grant; and no log. Only the operator remembers. A test that begins so may be
 * tried again.
 */
export async function startOver(stage: Stage, old?: Page): Promise<Page> {
  await old?.close()
  await gone(stage.browser, '/ui/consent/')
  for (const operator of await pagesAt(stage.browser, stage.network.issuer)) {
    // The flow's own is about to close by itself.
    await operator.close().catch(() => {})
  }
  const page = await stage.open()
  await forgetRefusals(stage)
  const { error } = await call(page, 'northbound_revoke')
  if (error) throw new Error(`cannot start over: ${error.message}`)
  stage.network.log.clear()
  stage.outside.requests.length = 0
  return page
}

/** Everything that the broker's databases hold, as text; bytes as Latin-1. */
export async function databaseText(screen: Page): Promise<Record<string, string[]>> {
  return screen.evaluate(async () => {
    const text = (value: unknown): string => {
      if (value instanceof ArrayBuffer) return new TextDecoder('latin1').decode(value)
      if (ArrayBuffer.isView(value))
        return new TextDecoder('latin1').decode(value.buffer as ArrayBuffer)
      // On the disk such a key lies in clear, whatever it allows.
      if (value instanceof CryptoKey) return `CryptoKey ${value.type}`
      if (typeof value === 'object' && value !== null) {
        return Object.entries(value)
          .map(([key, inner]) => `${key}:${text(inner)}`)
          .join()
      }
      return String(value)
    }
    const found: Record<string, string[]> = {}
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(name ?? '')
        opening.onsuccess = () => resolve(opening.result)
        opening.onerror = () => reject(opening.error)
      })
      for (const store of database.objectStoreNames) {
        const records = await new Promise<unknown[]>((resolve) => {
          const reading = database.transaction(store).objectStore(store).getAll()
          reading.onsuccess = () => resolve(reading.result)
        })
        found[store] = records.map(text)
      }
      database.close()
    }
    return found
  })
}

/** The operator does not know the subscriber any more. */
export async function endSessions({ browser }: Stage): Promise<void> {
  await browser.deleteCookie(...(await browser.cookies()))
}

/** Waits for the operator's sign-in page. */
export function signInPage(stage: Stage): Promise<Page> {
  return pageAt(stage.browser, stage.network.issuer)
}

/** The user's half at the operator: sign-in, then the operator's own consent. */
export async function signIn(stage: Stage, decision: 'allow' | 'deny' = 'allow'): Promise<void> {
  const page = await signInPage(stage)
  await page.waitForSelector('[data-form=password], [data-form=consent]')
  const [subscriber] = stage.network.subscribers.all
  if (subscriber && (await page.$('[data-form=password]'))) {
    await page.type('[name=phone_number]', subscriber.phoneNumber)
    await page.type('[name=password]', subscriber.password)
    await page.click('[data-form=password] [type=submit]')
    await page.waitForSelector('[data-form=consent]')
  }
  await page.click(`[data-form=consent] [value=${decision}]`)
}

/** The whole way to a grant. */
export async function connect(
  stage: Stage,
  page: Page,
  params: ConnectParams = stage.wish(),
): Promise<Called<Grant>> {
  const connecting = call<Grant>(page, 'northbound_connect', params)
  await answerConsent(stage, 'allow')
  await signIn(stage)
  const outcome = await connecting
  await gone(stage.browser, '/ui/consent/')
  return outcome
}

/** Where the authorization function sent the user in the end: the redirect URI with its response. */
export function authorizationResponses(stage: Stage): string[] {
  return stage.network.log.entries
    .map(({ answerHeaders }) => answerHeaders?.location)
    .filter((location): location is string => typeof location === 'string')
    .filter((location) => location.startsWith(stage.redirectBase))
}

export const tokenRequests = (stage: Stage): LogEntry[] =>
  stage.network.log.filter({ method: 'POST', path: /\/token$/ })

export const authorizationRequests = (stage: Stage): LogEntry[] =>
  stage.network.log
    .filter({ method: 'GET' })
    .filter(({ query }) => query.response_type === 'code' && query.client_id === CLIENT_ID)

/** Requests that reached the host of the redirect URI. There must be none, ever. */
export const atRedirectHost = (stage: Stage): string[] =>
  stage.outside.requests.filter((url) => url.startsWith(stage.redirectBase))

/** The form or JSON body of a request, as its server parsed it. */
export const formOf = (entry: LogEntry | undefined): Record<string, unknown> =>
  (entry?.body ?? {}) as Record<string, unknown>
