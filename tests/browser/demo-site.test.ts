/**
 * Tests the complete demonstration: the page, the extension and the network, joined as `npm start` joins
 * them.
 *
 * Seen to fail when:
 * - the page has a wrong name for the API's collection (the response 201);
 * - a session does not change the rate (TS 23.501);
 * - the page does not read its existing grants (reload);
 * - `redact` withholds nothing (token mode);
 * - the page sends the token to its own server.
 */

import { join } from 'node:path'
import { describe, expect, inject } from 'vitest'
import { copyExtension } from '../../scripts/extension-copy.ts'
import { type Servers, startServers } from '../../scripts/start/servers.ts'
import { BROWSER, test as base } from './fixtures.ts'
import { hook, openDetails, press, textOf } from './support/demo-page-stage.ts'
import { inFront, openTab } from './support/pages.ts'
import { answerConsent, signIn } from './support/stage.ts'

const API = 'api-exposing-functions'

const test = base
  .extend('servers', async ({ browserName: _ }, { onCleanup }) => {
    const servers = await startServers(undefined, join(inject('builds'), 'demo-site'))
    onCleanup(() => servers.close())
    return servers
  })
  .extend('extension', async ({ servers }, { onCleanup }) => {
    const { operatorProfiles } = servers.network
    const extension = await copyExtension(BROWSER, operatorProfiles, inject('builds'))
    onCleanup(() => extension.remove())
    return extension
  })
  .extend('installed', async ({ host, extension }, { onCleanup }) => {
    const origin = await host.install(extension.path)
    onCleanup(() => host.reset())
    return origin
  })
  .extend('demoSite', async ({ host, servers, installed: _ }) => {
    const page = await openTab(host.browser)
    await page.goto(servers.site.origin)
    await page.waitForSelector(`${hook('broker-state')}[data-state=found]`)
    return page
  })
  .extend('connect', ({ host: { browser }, servers: { network }, demoSite }) => async () => {
    await press(demoSite, 'connect')
    const [subscriber] = network.subscribers.all
    if (!subscriber) throw new Error('subscribers: expected at least one')
    await answerConsent({ browser }, 'allow')
    await signIn({ browser, network, subscriber })
    await inFront(demoSite)
    await demoSite.waitForSelector(hook('grant'))
  })

/** Requests that the API answered without a challenge. */
const apiCalls = ({ network }: Servers, method: string) =>
  network.log.filter({ server: API, method }).filter(({ status }) => status !== 401)

/** Expects that no code, verifier or token has reached the page's own server. */
function expectNoCredentialsAtSite({ site }: Servers): void {
  expect(site.log.entries.length).toBeGreaterThan(0)
  expect(JSON.stringify(site.log.entries)).not.toMatch(/code=|verifier|eyJ|authorization/i)
}

describe('the demonstration', () => {
  test('connects and boosts: 201, and TS 23.501 clause 5.7: the measured downlink follows the session', async ({
    servers,
    demoSite,
    connect,
  }) => {
    await connect()
    await press(demoSite, 'boost')
    expect(await textOf(demoSite, 'result-status')).toBe('201 Created')
    expect(apiCalls(servers, 'POST').map(({ status }) => status)).toEqual([201])
    await demoSite.waitForSelector(`${hook('stage')}[data-quality=priority]`)
    await press(demoSite, 'end-session')
    await demoSite.waitForSelector(hook('sessions-empty'))
    expect(apiCalls(servers, 'DELETE').map(({ status }) => status)).toEqual([204])
    await demoSite.waitForSelector(`${hook('stage')}[data-quality=standard]`)
    expectNoCredentialsAtSite(servers)
  })

  test('the permission outlives a reload of the page; disconnect ends it', async ({
    servers,
    demoSite,
    connect,
  }) => {
    await connect()
    await demoSite.reload()
    await demoSite.waitForSelector(hook('grant'))
    await press(demoSite, 'list-sessions')
    await demoSite.waitForSelector(hook('sessions-empty'))
    await press(demoSite, 'disconnect')
    await demoSite.waitForSelector(hook('connect'))
    expect(await demoSite.$(hook('error'))).toBeNull()
    expectNoCredentialsAtSite(servers)
  })

  test('token mode: the page calls by itself, and shows nobody the token, its own server neither', async ({
    servers,
    demoSite,
    connect,
  }) => {
    await demoSite.click(hook('mode-token'))
    await connect()
    await press(demoSite, 'boost')
    expect(await textOf(demoSite, 'result-status')).toBe('201 Created')
    const [call] = apiCalls(servers, 'POST')
    expect(call?.headers.origin).toBe(servers.site.origin)
    await openDetails(demoSite)
    const shown = await demoSite.content()
    expect(shown).toContain('northbound_getAccessToken')
    expect(shown).not.toContain(String(call?.headers.authorization).split(' ')[1])
    expect(shown).not.toContain('eyJ')
    expectNoCredentialsAtSite(servers)
  })
})
