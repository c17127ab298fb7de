/** Opens the built page of the demo site in a real browser, with a broker double that runs in the page. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { inject } from 'vitest'
import type { DemoSiteConfig } from '../../../demo-site/app/config.ts'
import { type DemoSite, startDemoSite } from '../../../demo-site/server/index.ts'
import {
  FAKE_ACCESS_TOKEN,
  type FakeBroker,
  installFakeBroker,
} from '../../demo-site/fake-provider.ts'
import type { BrowserHost } from './browser-host.ts'
import { openTab } from './pages.ts'

export const hook = (name: string) => `[data-testid=${name}]`

export interface PageOptions {
  /** Options of the broker double. Without this member there is no broker. */
  broker?: Partial<FakeBroker>
  width?: number
  dark?: boolean
}

export interface PageStage {
  site: DemoSite
  config: DemoSiteConfig
  /** Header fields of every request that the API received, newest last. */
  apiRequests: { method: string; authorization: string | undefined; cookie: string | undefined }[]
  open(options?: PageOptions): Promise<Page>
  /** Policy violations and errors that the browser reported in any page. */
  complaints: string[]
  close(): Promise<void>
}

/**
 * An API exposing function that accepts every request, with the CORS header fields that `token` mode needs.
 */
async function startApi(requests: PageStage['apiRequests']) {
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', 'authorization, content-type, dpop')
    response.setHeader('access-control-expose-headers', 'location')
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end()
      return
    }
    const { authorization, cookie } = request.headers
    requests.push({ method: request.method ?? '', authorization, cookie })
    const self = `http://${request.headers.host}${request.url}/7`
    response.writeHead(201, { 'content-type': 'application/json', location: self })
    response.end(JSON.stringify({ self, qosReference: 'QOS_L' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, server }
}

export async function startPageStage(host: BrowserHost): Promise<PageStage> {
  const { name, browser } = host
  const apiRequests: PageStage['apiRequests'] = []
  const api = await startApi(apiRequests)
  const config: DemoSiteConfig = {
    issuer: 'http://localhost:4400',
    resource: `${api.origin}/3gpp-as-session-with-qos/v1`,
    scope: '3gpp-as-session-with-qos',
    clientId: 'skyframe',
    scsAsId: 'skyframe',
  }
  const site = await startDemoSite({ config, root: join(inject('builds'), 'demo-site') })
  const complaints: string[] = []
  return {
    site,
    config,
    apiRequests,
    complaints,
    async open({ broker, width = 1280, dark = false } = {}) {
      const page = await openTab(browser)
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      await page.setViewport({ width, height: 800 })
      if (name === 'chromium') {
        await page.emulateMediaFeatures([
          { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' },
          { name: 'prefers-reduced-motion', value: 'reduce' },
        ])
      }
      if (broker) {
        const { issuer, resource } = config
        const options = { issuer, resource, ...broker }
        await page.evaluateOnNewDocument(installFakeBroker, options, FAKE_ACCESS_TOKEN)
      }
      await page.goto(site.origin)
      await page.waitForSelector(`${hook('broker-state')}:not([data-state=searching])`)
      return page
    },
    async close() {
      if (browser.connected) await host.reset()
      api.server.closeAllConnections()
      api.server.close()
      await site.close()
    },
  }
}

/** Presses a button as soon as it is enabled. */
export async function press(page: Page, name: string): Promise<void> {
  const usable = `${hook(name)}:not([aria-disabled=true])`
  await page.waitForSelector(usable)
  await page.click(usable)
}

export async function textOf(page: Page, name: string): Promise<string> {
  await page.waitForSelector(hook(name))
  return page.$eval(hook(name), (element) => element.textContent ?? '')
}

export function stateOf(page: Page, step: string): Promise<string | undefined> {
  return page.$eval(`${hook('step')}[data-step=${step}]`, (element) => {
    return (element as HTMLElement).dataset.state
  })
}

/** Opens all collapsed parts of the page, for checks of the complete document. */
export async function openDetails(page: Page): Promise<void> {
  await page.$$eval('details', (entries) => {
    for (const entry of entries) entry.open = true
  })
}
