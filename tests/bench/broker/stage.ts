/**
 * Starts the environment of the measurements: one browser with the built extension and an empty extension,
 * a network whose tokens the API accepts, and a page with a grant.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import { build } from 'vite'
import { type Network, startNetwork } from '../../../demo-site/network/index.ts'
import { CHROMIUM_ID, REDIRECT_BASE } from '../../../extension/identity.ts'
import { type BrowserName, openBrowser } from '../../../scripts/browsers.ts'
import { copyExtension } from '../../../scripts/extension-copy.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { AccessToken, Grant } from '../../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../../browser/support/application.ts'
import { pageAt } from '../../browser/support/pages.ts'
import { waiveAll } from '../../browser/support/waiver.ts'
import { startApi } from './api.ts'
import { type SignInServer, startSignInServer } from './sign-in-server.ts'

const CLIENT_ID = 'cloud-gaming'
export const TOKEN_SECONDS = 600
/** Origins that sign in for the first time, one after the other. */
const FIRST_ORIGINS = 24

export interface BenchStage {
  name: BrowserName
  browser: Browser
  network: Network
  application: ApplicationServer
  signInServer: SignInServer
  /** Origins of the application that have no grant. Their operator is `signInServer`. */
  firstOrigins: string[]
  /** Page that has the grant. */
  page: Page
  /** Origin of the broker's own pages, if the driver can reach them. */
  brokerOrigin: string | undefined
  setting: Record<string, string>
  /** Opens another tab of the application. */
  open(): Promise<Page>
  close(): Promise<void>
}

/** Creates a profile of the issuer whose tokens name no resource, with the API of the benchmark. */
function createOperator(network: Network, resource: string): OperatorProfile {
  const camara = network.operatorProfiles.find(({ profile }) => profile === 'camara')
  const api = camara?.apis[0]
  if (!camara || !api) throw new Error('the network has no issuer to measure with')
  const apis = [{ ...api, resource }]
  return {
    ...camara,
    onboarding: 'preregistered',
    clientAuthentication: 'none',
    dpop: 'never',
    networkAuthentication: false,
    pushedAuthorizationRequests: 'never',
    apis,
    applications:
      camara.applications?.map((application) => ({
        ...application,
        requireConsent: false,
        consentWaiver: waiveAll({ ...camara, apis }),
      })) ?? [],
  }
}

/** Bundles the client for pages, as `northkeyPage` of the window. */
async function bundleClient(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      lib: {
        entry: join(import.meta.dirname, '../../../shared/page/index.ts'),
        formats: ['iife'],
        name: 'northkeyPage',
      },
    },
  })
  const { output } = (Array.isArray(result) ? result[0] : result) as { output: { code?: string }[] }
  return output.map((chunk) => chunk.code ?? '').join('')
}

async function signIn(browser: Browser, network: Network): Promise<void> {
  const page = await pageAt(browser, network.origin)
  await page.waitForSelector('[data-form=password], [data-form=consent]')
  const [subscriber] = network.subscribers.all
  if (subscriber && (await page.$('[data-form=password]'))) {
    await page.type('[name=phone_number]', subscriber.phoneNumber)
    await page.type('[name=password]', subscriber.password)
    await page.click('[data-form=password] [type=submit]')
    await page.waitForSelector('[data-form=consent]')
  }
  await page.click('[data-form=consent] [value=allow]')
}

export async function startBenchStage(name: BrowserName, builds: string): Promise<BenchStage> {
  const script = await readFile(join(import.meta.dirname, 'in-page.js'), 'utf8')
  const api = await startApi()
  const application = await startApplication()
  const client = await bundleClient()
  application.routes.set('/', { html: `<script>${client}</script><script>${script}</script>` })
  const network = await startNetwork({
    applications: [{ clientId: CLIENT_ID, name: 'Bench', origins: [application.origin] }],
    redirectBases: Object.values(REDIRECT_BASE),
    accessTokenSeconds: TOKEN_SECONDS,
  })
  const operator = createOperator(network, api.resource)
  const signInServer = await startSignInServer(api.resource)
  const firstOrigins = Array.from(
    { length: FIRST_ORIGINS },
    (_, index) => `http://first-${index}.localhost:${application.port}`,
  )
  const operators = [operator, signInServer.createOperator(firstOrigins, api.resource)]
  const extension = await copyExtension(name, operators, builds)
  const browser = await openBrowser(name, {
    extension: extension.path,
    // The default resolution of Firefox's clock is as long as a call.
    preferences: { 'privacy.reduceTimerPrecision': false },
  })
  await browser.installExtension(join(import.meta.dirname, 'bare'))

  async function open(): Promise<Page> {
    const page = await browser.newPage()
    await page.goto(application.origin)
    return page
  }
  const page = await open()
  const [offered] = operator.apis
  const connecting = page.evaluate(
    async (connectParams) => {
      const { bench } = window as unknown as { bench: Bench }
      bench.prepare({})
      return bench.request('northbound_connect', connectParams) as Promise<Grant>
    },
    {
      issuer: operator.issuer,
      mode: 'token',
      apis: [
        {
          resource: api.resource,
          scope: offered?.scopes[0]?.scope ?? '',
          purpose: offered?.purposes?.[0] ?? '',
        },
      ],
    },
  )
  await signIn(browser, network)
  const { grantId } = await connecting
  const { accessToken } = await page.evaluate(
    (params) =>
      (window as unknown as { bench: Bench }).bench.request(
        'northbound_getAccessToken',
        params,
      ) as Promise<AccessToken>,
    { grantId },
  )
  const setting = {
    grantId,
    accessToken,
    api: api.resource,
    small: `${api.resource}/small`,
    large: `${api.resource}/large`,
    authorize: `${signInServer.issuer}/authorize?redirect_uri=http://127.0.0.2:${signInServer.port}/redirect-uri`,
  }
  await prepare(page, setting)
  return {
    name,
    browser,
    network,
    application,
    signInServer,
    firstOrigins,
    page,
    brokerOrigin: name === 'chromium' ? `chrome-extension://${CHROMIUM_ID}` : undefined,
    setting,
    async open() {
      const tab = await open()
      await prepare(tab, setting)
      return tab
    },
    async close() {
      await browser.close()
      api.close()
      signInServer.close()
      await Promise.all([network.close(), application.close(), extension.remove()])
    },
  }
}

/** API that `in-page.js` adds to the page. */
export interface Bench {
  prepare(setting: object): void
  request(method: string, params: object): Promise<unknown>
  measureCall(name: string): Promise<number>
  start(): Promise<unknown>
  measureConnect(params: object): Promise<number>
  measureSlices(
    names: string[],
    options: { slices: number; calls: number; pauseMs?: number; warmUp?: number },
  ): Promise<Record<string, number[]>>
  countServedCallers(count: number, minValiditySeconds: number): Promise<number>
}

function prepare(page: Page, setting: Record<string, string>): Promise<void> {
  return page.evaluate(
    (newSetting) => (window as unknown as { bench: Bench }).bench.prepare(newSetting),
    setting,
  )
}
