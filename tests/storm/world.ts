/** Starts the environment of a storm: one network, two sites, one Chromium with the built extension. */

import type { Browser, Page } from 'puppeteer-core'
import { type FaultRule, type Network, startNetwork } from '../../demo-site/network/index.ts'
import { CHROMIUM_ID, REDIRECT_BASE } from '../../extension/identity.ts'
import { openBrowser } from '../../scripts/browsers.ts'
import { copyExtension } from '../../scripts/extension-copy.ts'
import type { ConnectParams, ProviderErrorObject } from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../browser/support/application.ts'
import { type Outside, startOutside } from '../browser/support/outside.ts'
import { waiveAll } from '../browser/support/waiver.ts'
import { type WorkerSwitch, workerSwitch } from '../browser/support/worker.ts'

export interface Site {
  application: ApplicationServer
  page: Page
}

export interface World {
  browser: Browser
  network: Network
  outside: Outside
  sites: [Site, Site]
  /** Parameters of `northbound_connect`. */
  request: ConnectParams
  /** Its page has the broker's origin, but no script of the broker. */
  worker: WorkerSwitch
  /** Replaces the active faults. @returns The identifiers of the new faults. */
  fault(...rules: FaultRule[]): string[]
  close(): Promise<void>
}

export interface Settled {
  result?: unknown
  error?: ProviderErrorObject
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

/**
 * Removes the revocation endpoint from the metadata. The operator then receives no revocation, and does not
 * ask for consent again.
 */
async function prepareHiddenRevocation({ issuer, faults }: Network): Promise<() => void> {
  const path = '/.well-known/openid-configuration'
  const response = await fetch(issuer + path)
  const { revocation_endpoint: _, ...metadata } = (await response.json()) as Record<string, unknown>
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(metadata)
  return () => {
    for (const metadataPath of [path, '/.well-known/oauth-authorization-server']) {
      faults.add({ path: metadataPath, action: { type: 'status', status: 200, headers, body } })
    }
  }
}

/** @param builds Folder with a development build for Chromium. */
export async function startWorld(builds: string): Promise<World> {
  const applications = await Promise.all([startApplication(), startApplication()])
  const network = await startNetwork({
    applications: applications.map(({ origin }, index) => ({
      clientId: `storm-${index}`,
      name: 'Storm',
      origins: [origin],
    })),
    redirectBases: [REDIRECT_BASE.chromium],
    accessTokenSeconds: 3_600,
    // On a reused connection the browser itself repeats a broken request.
    reuseConnections: false,
  })
  const outside = await startOutside()
  const [operator] = network.operatorProfiles
  if (!operator) throw new Error('the network has no operator')
  const extension = await copyExtension(
    'chromium',
    [
      {
        ...operator,
        applications:
          operator.applications?.map((application) => ({
            ...application,
            ...(application.clientId === 'storm-1'
              ? {}
              : { requireConsent: false, consentWaiver: waiveAll(operator) }),
          })) ?? [],
        // An ID token identifies the subscriber, so that a silent authorization may renew a grant.
        openid: 'required',
        pushedAuthorizationRequests: 'never',
        dpop: 'never',
      },
    ],
    builds,
    undefined,
    // The driver calls far more often than a person clicks.
    { TRANSIENT_ACTIVATION_MS: 0, ACTIVATION_LIFETIME_MS: 60_000 },
  )
  const browser = await openBrowser('chromium', {
    extension: extension.path,
    proxy: outside.address,
    acceptInsecureCerts: true,
    args: ['--disable-auto-reload'],
  })
  const initialPages = await browser.pages()
  const worker = await workerSwitch({
    name: 'chromium',
    browser,
    brokerOrigin: `chrome-extension://${CHROMIUM_ID}`,
  })
  const sites: Site[] = []
  for (const application of applications) {
    const page = await browser.newPage()
    await page.goto(application.origin)
    sites.push({ application, page })
  }
  for (const page of initialPages) await page.close()
  const [api] = operator.apis
  const hideRevocation = await prepareHiddenRevocation(network)
  return {
    browser,
    network,
    outside,
    sites: sites as [Site, Site],
    request: {
      issuer: operator.issuer,
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
    },
    worker,
    fault(...rules) {
      network.faults.clear()
      const ids = rules.map((rule) => network.faults.add(rule))
      hideRevocation()
      return ids
    },
    async close() {
      await browser.close()
      await Promise.all([network.close(), outside.close(), extension.remove()])
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
export function countRecords({ worker }: World, name: 'flows' | 'tokens'): Promise<number> {
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
