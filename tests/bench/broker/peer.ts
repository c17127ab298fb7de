/**
 * Drives the closest peer in the same run: @axa-fr/oidc-client, whose service worker keeps the token away from the
 * page, as the broker does. `sign-in-server.ts` serves its page.
 */

import type { Browser, Page } from 'puppeteer-core'
import { until } from '../../browser/support/pages.ts'
import type { SignInServer } from './sign-in-server.ts'

export interface Peer {
  measureSlices(path: 'small' | 'large', how: { slices: number; calls: number }): Promise<number[]>
  close(): Promise<void>
}

/** API that `peer.js` adds to its page. */
interface PeerWindow {
  peer: {
    measureSlices(path: string, how: { slices: number; calls: number }): Promise<number[]>
    signIn(): void
    signInMs: number
  }
}

/** The page navigates to the login and back in the meantime. */
const waitUntilReady = (page: Page) =>
  until(
    'the login of the peer',
    async () => (await page.title().catch(() => '')) === 'ready',
    20_000,
  )

export async function startPeer(browser: Browser, { origin }: SignInServer): Promise<Peer> {
  const page = await browser.newPage()
  await page.goto(origin)
  await waitUntilReady(page)
  return {
    measureSlices: (path, how) =>
      page.evaluate(
        (apiPath, options) =>
          (window as unknown as PeerWindow).peer.measureSlices(apiPath, options),
        path,
        how,
      ),
    close: () => page.close(),
  }
}

/** Measures one sign-in of the peer, from the call to the tokens, in a tab that has stored nothing. */
export async function measurePeerSignIn(browser: Browser, { origin }: SignInServer) {
  const page = await browser.newPage()
  await page.goto(`${origin}/first`)
  await until('the peer', async () => (await page.title()) === 'signed out')
  await page.evaluate(() => (window as unknown as PeerWindow).peer.signIn())
  await waitUntilReady(page)
  const timeMs = await page.evaluate(() => (window as unknown as PeerWindow).peer.signInMs)
  await page.close()
  return timeMs
}
