/**
 * Starts the stage of a browser test: a network, an application and the built extension in a browser, all of
 * them real and new. The tests judge by the request logs of the servers.
 */

import type { Browser, Page } from 'puppeteer-core'
import { inject } from 'vitest'
import {
  type LogEntry,
  type Network,
  type NetworkOptions,
  type Subscriber,
  startNetwork,
} from '../../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../../extension/identity.ts'
import type { BrowserName } from '../../../scripts/browsers.ts'
import { copyExtension, type Limits } from '../../../scripts/extension-copy.ts'
import type { ConsentWaiver, OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type {
  ConnectParams,
  Grant,
  ProviderErrorObject,
} from '../../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from './application.ts'
import type { BrowserHost } from './browser-host.ts'
import type { Outside } from './outside.ts'
import { addressOf, gone, inFront, openTab, pageAt, until } from './pages.ts'
import { submitPassword } from './password-form.ts'
import { waiveAll } from './waiver.ts'

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
  /** Folder from which this stage's browser loaded the extension. */
  extensionPath: string
  /** Record of every request to another machine. */
  outside: Outside
  /** Origin of the broker's own pages. */
  brokerOrigin: string
  /** True if `northbound_connect` opens the broker's own consent window for a first grant. */
  requireConsent: boolean
  /** The subscriber who uses this browser. */
  subscriber: Subscriber
  /** Opens a new tab of the application. */
  open(path?: string): Promise<Page>
  /** The request for better QoS that most tests make. */
  wish(more?: Partial<ConnectParams>): ConnectParams
  close(): Promise<void>
}

export interface StageOptions extends Partial<Omit<NetworkOptions, 'operator'>> {
  /** Changes to the operator's profile before the broker gets it. */
  operator?: Partial<OperatorProfile> | ((profile: OperatorProfile) => Partial<OperatorProfile>)
  /** More operators, as a function of the application's origin. */
  others?: (origin: string) => Promise<OperatorProfile[]>
  /**
   * True if the broker's own consent window opens for each grant. Default: false: the profiles waive the
   * consent of a first grant.
   */
  requireConsent?: boolean
  /** The waiver of each application where the consent is waived. Default: everything that is offered. */
  waiver?: (profile: OperatorProfile) => ConsentWaiver
  /** Time limits of the product that this test replaces, beside {@link SHORT_LIMITS}. */
  limits?: Limits
  /** Changes to the extension's folder before the browser loads it. */
  prepareExtension?: (path: string) => Promise<void>
}

/** Sends every parameter in the front channel, where a test can read and change it. */
const PLAIN = { pushedAuthorizationRequests: 'never', dpop: 'never' } as const

/**
 * Limits that only make tests slow, and those for a user who is quicker, or on a slower machine, than a person. A test
 * whose subject is such a limit sets its own value.
 */
export const SHORT_LIMITS: Limits = {
  CONSENT_INERT_MS: 50,
  TRANSIENT_ACTIVATION_MS: 0,
  ACTIVATION_LIFETIME_MS: 60_000,
}

export const CLIENT_ID = 'cloud-gaming'

/** Puts a new network, a new application and a new installation of the extension into a browser. */
export async function startStage(host: BrowserHost, options: StageOptions = {}): Promise<Stage> {
  const {
    operator,
    others,
    requireConsent = false,
    waiver = waiveAll,
    prepareExtension,
    limits,
    ...networkOptions
  } = options
  const { name, browser, outside } = host
  const application = await startApplication()
  const network = await startNetwork({
    applications: [{ clientId: CLIENT_ID, name: 'Cloud gaming', origins: [application.origin] }],
    redirectBases: Object.values(REDIRECT_BASE),
    ...networkOptions,
  })
  const profiles = [
    ...network.operatorProfiles.map((profile) => ({
      ...profile,
      ...PLAIN,
      ...(typeof operator === 'function' ? operator(profile) : operator),
    })),
    ...((await others?.(application.origin)) ?? []).map((profile) => ({ ...profile, ...PLAIN })),
  ].map((profile) => ({
    ...profile,
    applications:
      profile.applications?.map((entry) => ({
        ...entry,
        requireConsent,
        ...(!requireConsent && { consentWaiver: waiver(profile) }),
      })) ?? [],
  }))
  const extension = await copyExtension(name, profiles, inject('builds'), undefined, {
    ...SHORT_LIMITS,
    ...limits,
  })
  await prepareExtension?.(extension.path)
  const brokerOrigin = await host.install(extension.path)
  const api = network.operatorProfiles[0]?.apis.find(({ resource }) =>
    resource.includes('as-session-with-qos'),
  )
  const [subscriber] = network.subscribers.all
  if (!subscriber) throw new Error('subscribers: expected at least one')
  const stage: Stage = {
    name,
    browser,
    network,
    application,
    redirectBase: REDIRECT_BASE[name],
    extensionPath: extension.path,
    outside,
    brokerOrigin,
    requireConsent,
    subscriber,
    async open(path = '/') {
      const page = await openTab(browser)
      await page.goto(application.origin + path)
      return page
    },
    wish: (wishes = {}) => ({
      issuer: network.issuer,
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
      ...wishes,
    }),
    async close() {
      if (browser.connected) await host.reset()
      // A test may have replaced the network.
      await Promise.all([stage.network.close(), application.close(), extension.remove()])
    },
  }
  return stage
}

/** Makes a call through the page contract, with the user gesture that a script of the driver has. */
export function call<T>(page: Page, method: string, params?: object): Promise<Called<T>> {
  const called = page.evaluate(
    (name, given) => window.call(name, given),
    method,
    params as Record<string, unknown>,
  ) as Promise<Called<T>>
  // A test that fails before it awaits the outcome closes the page. This must not cause a second error.
  called.catch(() => {})
  return called
}

/** Does the user's part in the broker's own window. */
export async function answerConsent(
  stage: Pick<Stage, 'browser'>,
  answer: 'allow' | 'deny',
): Promise<void> {
  const consent = await pageAt(stage.browser, '/ui/consent/')
  await consent.bringToFront()
  await consent.waitForSelector(`[data-testid=${answer}]:not([disabled])`)
  // The window may close before the driver gets the answer to its click.
  await consent.click(`[data-testid=${answer}]`).catch((error: Error) => {
    if (!consent.isClosed() && error.name !== 'TargetCloseError') throw error
  })
}

/** Opens a page of the broker in a new tab. */
export async function openScreen(
  stage: Pick<Stage, 'browser' | 'brokerOrigin'>,
  path = '/ui/popup/index.html',
): Promise<Page> {
  const page = await openTab(stage.browser)
  // Firefox's driver gets no load event of such a page. The page itself reports that it has loaded.
  void page.goto(stage.brokerOrigin + path).catch(() => {})
  await until('the screen', async () => (await addressOf(page)).includes(path))
  await page.waitForSelector('#screen > *')
  return page
}

/** Clears the denials, as if the cooldown had passed. Earlier denials then block no window. */
export async function forgetRefusals(stage: Stage): Promise<void> {
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

/** Returns the content of the broker's databases as text, with bytes as Latin-1. */
export async function databaseText(screen: Page): Promise<Record<string, string[]>> {
  return screen.evaluate(async () => {
    const text = (value: unknown): string => {
      if (value instanceof ArrayBuffer) return new TextDecoder('latin1').decode(value)
      if (ArrayBuffer.isView(value))
        return new TextDecoder('latin1').decode(value.buffer as ArrayBuffer)
      // On the disk such a key is in plain text, even if it is not extractable.
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

/** Ends the subscriber's sessions at all operators: deletes the cookies of the browser. */
export async function endSessions({ browser }: Stage): Promise<void> {
  await browser.deleteCookie(...(await browser.cookies()))
}

/** Waits for the operator's sign-in page. */
export function signInPage(stage: Pick<Stage, 'browser' | 'network'>): Promise<Page> {
  return pageAt(stage.browser, stage.network.issuer)
}

/**
 * Does the user's part at the operator: the sign-in if the operator asks for it, then the consent.
 * Returns the operator's page, which the broker closes.
 */
export async function signIn(
  stage: Pick<Stage, 'browser' | 'network' | 'subscriber'>,
  decision: 'allow' | 'deny' = 'allow',
): Promise<Page> {
  const page = await signInPage(stage)
  await inFront(page)
  await page.waitForSelector('[data-form=password], [data-form=consent]')
  if (await page.$('[data-form=password]')) {
    await submitPassword(page, stage.subscriber)
    await page.waitForSelector('[data-form=consent]')
  }
  await page.click(`[data-form=consent] [value=${decision}]`)
  return page
}

/** Brings the page to the front and clicks in it. */
export async function gesture(page: Page): Promise<void> {
  await inFront(page)
  await page.click('button')
}

/** Gets a grant by the complete flow, with the sign-in and the consent of the operator in a window. */
export async function connect(
  stage: Stage,
  page: Page,
  params: ConnectParams = stage.wish(),
): Promise<Called<Grant>> {
  const connecting = call<Grant>(page, 'northbound_connect', params)
  if (stage.requireConsent) await answerConsent(stage, 'allow')
  const operator = await signIn(stage)
  const outcome = await connecting
  await gone(stage.browser, '/ui/consent/')
  // Firefox opens the next tab in the window in front. A tab in a window that closes is lost.
  await until('the sign-in window to close', async () => operator.isClosed())
  return outcome
}

/** Returns the last redirect of the authorization function: the redirect URI with its response. */
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

/** Requests that reached the host of the redirect URI. None of them may be the response of a flow. */
export const atRedirectHost = (stage: Stage): string[] =>
  stage.outside.requests.filter((url) => url.startsWith(stage.redirectBase))

/** Returns the form or JSON body of a request, as its server parsed it. */
export const formOf = (entry: LogEntry | undefined): Record<string, unknown> =>
  (entry?.body ?? {}) as Record<string, unknown>
