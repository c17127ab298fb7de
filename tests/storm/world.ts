/** Starts the environment of a storm: one network, two sites, one browser with the built extension. */

import type { Browser, Page } from 'puppeteer-core'
import {
  type FaultRule,
  type Network,
  type Subscriber,
  startNetwork,
} from '../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import type { BrowserName } from '../../scripts/browsers.ts'
import { copyExtension, type Limits } from '../../scripts/extension-copy.ts'
import type { ConnectParams, ProviderErrorObject } from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../browser/support/application.ts'
import { openHost } from '../browser/support/browser-host.ts'
import type { Outside } from '../browser/support/outside.ts'
import { inFront, openPage } from '../browser/support/pages.ts'
import { waiveAll } from '../browser/support/waiver.ts'
import { type WorkerSwitch, workerSwitch } from '../browser/support/worker.ts'
import type { PlannedFlow } from './plan.ts'

export interface Site {
  application: ApplicationServer
  clientId: string
  page: Page
}

export interface World {
  name: BrowserName
  browser: Browser
  network: Network
  outside: Outside
  sites: [Site, Site]
  /** The subscriber who uses this browser. */
  subscriber: Subscriber
  /** Parameters of `northbound_connect`, for each operator. */
  requests: Record<PlannedFlow['operator'], ConnectParams>
  /** In Chromium its page has the broker's origin, but no script of the broker. */
  worker: WorkerSwitch
  /** Pages that no flow has opened. */
  kept: ReadonlySet<Page>
  /** Replaces the active faults. @returns The identifiers of the new faults. */
  fault(...rules: FaultRule[]): string[]
  close(): Promise<void>
}

export interface Settled {
  result?: unknown
  error?: ProviderErrorObject
}

/** A revocation that failed is sent again within the flow, so that no flow sees the revocation of another. */
const LIMITS: Limits = {
  // The driver calls far more often than a person clicks.
  TRANSIENT_ACTIVATION_MS: 0,
  ACTIVATION_LIFETIME_MS: 60_000,
  FIRST_REVOCATION_PAUSE_MS: 200,
  SOONEST_ALARM_MS: 200,
  LONGEST_RETRY_AFTER_MS: 200,
}

/** Brings the page to the front and clicks in it: a window opens only after a click in a visible page. */
export async function clickInPage({ page }: Site): Promise<void> {
  await inFront(page)
  await page.click('button')
}

/** Calls the broker from a page. An answer without result and error: the page was left. */
export function call({ page }: Site, method: string, params?: object): Promise<Settled> {
  const answer = page.evaluate(
    (name, callParams) => window.call(name, callParams),
    method,
    params as Record<string, unknown>,
  ) as Promise<Settled>
  return answer.catch(() => ({}))
}

function createRequest(network: Network, profile: PlannedFlow['operator']): ConnectParams {
  const operator = network.operatorProfiles.find((candidate) => candidate.profile === profile)
  const api = operator?.apis.find(({ resource }) => resource.includes('as-session-with-qos'))
  if (!operator || !api) throw new Error(`the network has no operator of the profile ${profile}`)
  return {
    issuer: operator.issuer,
    apis: [{ resource: api.resource, scope: api.scopes[0]?.scope ?? '' }],
  }
}

/** @param builds Folder with a development build for the browser. */
export async function startWorld(name: BrowserName, builds: string): Promise<World> {
  const applications = await Promise.all([startApplication(), startApplication()])
  const network = await startNetwork({
    applications: applications.map(({ origin }, index) => ({
      clientId: `storm-${index}`,
      name: 'Storm',
      origins: [origin],
    })),
    redirectBases: [REDIRECT_BASE[name]],
    accessTokenSeconds: 3_600,
    // On a reused connection the browser itself repeats a broken request.
    reuseConnections: false,
  })
  const profiles = network.operatorProfiles.map((operator) => ({
    ...operator,
    applications:
      operator.applications?.map((application) => ({
        ...application,
        ...(application.clientId === 'storm-1'
          ? {}
          : { requireConsent: false, consentWaiver: waiveAll(operator) }),
      })) ?? [],
    // An ID token identifies the subscriber, so that a silent authorization may renew a grant.
    openid: 'required' as const,
    pushedAuthorizationRequests: 'never' as const,
    dpop: 'never' as const,
  }))
  const extension = await copyExtension(name, profiles, builds, undefined, LIMITS)
  const host = await openHost(name, { args: name === 'chromium' ? ['--disable-auto-reload'] : [] })
  const { browser, outside } = host
  const initialPages = await browser.pages()
  const brokerOrigin = await host.install(extension.path)
  const worker = await workerSwitch({ name, browser, brokerOrigin })
  const sites: Site[] = []
  for (const [index, application] of applications.entries()) {
    const page = await openPage(browser, application.origin)
    sites.push({ application, clientId: `storm-${index}`, page })
  }
  for (const page of initialPages) await page.close()
  const [subscriber] = network.subscribers.all
  if (!subscriber) throw new Error('subscribers: expected at least one')
  return {
    name,
    browser,
    network,
    outside,
    sites: sites as [Site, Site],
    subscriber,
    requests: { oauth: createRequest(network, 'oauth'), capif: createRequest(network, 'capif') },
    worker,
    kept: new Set(await browser.pages()),
    fault(...rules) {
      network.faults.clear()
      return rules.map((rule) => network.faults.add(rule))
    },
    async close() {
      await host.close()
      await Promise.all([network.close(), extension.remove()])
      await Promise.all(applications.map((application) => application.close()))
    },
  }
}

/** Deletes the denials, since their cooldown depends on the time and not on the seed. */
export function deleteDenials({ worker }: World): Promise<void> {
  return worker.page.evaluate(() => {
    const { chrome } = globalThis as unknown as {
      chrome: { storage: { session: { remove(name: string): Promise<void> } } }
    }
    return chrome.storage.session.remove('refusals')
  })
}

/** Counts the records in a store of the broker. */
export function countRecords(
  { worker }: World,
  name: 'flows' | 'tokens' | 'revocations',
): Promise<number> {
  return worker.page.evaluate(async (store) => {
    const names = (await indexedDB.databases()).map(({ name: databaseName }) => databaseName)
    if (!names.includes(`northkey-${store}`)) return 0
    const opening = indexedDB.open(`northkey-${store}`)
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      opening.onsuccess = () => resolve(opening.result)
      opening.onerror = () => reject(opening.error)
    })
    const counting = database.transaction(store).objectStore(store).count()
    const count = await new Promise<number>((resolve) => {
      counting.onsuccess = () => resolve(counting.result)
    })
    database.close()
    return count
  }, name)
}
