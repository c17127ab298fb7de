/** The place of a storm: one network, one application, one Chromium with the built extension. */

import type { Browser, CDPSession, Page } from 'puppeteer-core'
import { type Network, startNetwork } from '../../demo-site/network/index.ts'
import { CHROMIUM_ID, REDIRECT_BASE } from '../../extension/identity.ts'
import { openBrowser } from '../../scripts/browsers.ts'
import { copyExtension } from '../../scripts/extension-copy.ts'
import type { ConnectParams } from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../browser/application.ts'
import { type Outside, startOutside } from '../browser/outside.ts'
import { pageAt } from '../browser/pages.ts'

export interface World {
  browser: Browser
  network: Network
  application: ApplicationServer
  outside: Outside
  page: Page
  wish: ConnectParams
  /** A page of the broker's origin without any of its scripts. */
  inside: Page
  stopWorker(): Promise<void>
  close(): Promise<void>
}

/** @param builds Folder with a development build for Chromium. */
export async function startWorld(builds: string): Promise<World> {
  const application = await startApplication()
  const network = await startNetwork({
    applications: [{ clientId: 'storm', name: 'Storm', origins: [application.origin] }],
    redirectBases: [REDIRECT_BASE.chromium],
    accessTokenSeconds: 3_600,
  })
  const outside = await startOutside()
  const [operator] = network.operatorProfiles
  if (!operator) throw new Error('the network has no operator')
  const applications =
    operator.applications?.map((one) => ({ ...one, requireConsent: false })) ?? []
  const profile = { ...operator, applications, pushedAuthorizationRequests: 'never' as const }
  const extension = await copyExtension('chromium', [{ ...profile, dpop: 'never' }], builds)
  const browser = await openBrowser('chromium', {
    extension: extension.path,
    proxy: outside.address,
    acceptInsecureCerts: true,
  })
  const inside = await browser.newPage()
  await inside.goto(`chrome-extension://${CHROMIUM_ID}/icons/16.png`)
  const session: CDPSession = await inside.createCDPSession()
  await session.send('ServiceWorker.enable')
  const page = await browser.newPage()
  await page.goto(application.origin)
  const [api] = operator.apis
  return {
    browser,
    network,
    application,
    outside,
    page,
    inside,
    wish: {
      issuer: operator.issuer,
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
    },
    async stopWorker() {
      await session.send('ServiceWorker.stopAllWorkers')
    },
    async close() {
      await browser.close()
      await Promise.all([network.close(), application.close(), outside.close(), extension.remove()])
    },
  }
}

/** The subscriber signs in and authorizes the application, once for the whole storm. */
export async function signInOnce({ browser, network, page, wish }: World): Promise<void> {
  const connected = page.evaluate(
    (params) => window.call('northbound_connect', params),
    wish as unknown as Record<string, unknown>,
  ) as Promise<{ error?: { message: string } }>
  const operator = await pageAt(browser, network.issuer)
  const [subscriber] = network.subscribers.all
  await operator.waitForSelector('[data-form=password]')
  await operator.type('[name=phone_number]', subscriber?.phoneNumber ?? '')
  await operator.type('[name=password]', subscriber?.password ?? '')
  await operator.click('[data-form=password] [type=submit]')
  await operator.waitForSelector('[data-form=consent]')
  await operator.click('[data-form=consent] [value=allow]')
  const { error } = await connected
  if (error) throw new Error(`the first flow failed: ${error.message}`)
}
