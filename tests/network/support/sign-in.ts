/** Performs the four sign-in methods with a scripted browser. */

import type { Network } from '../../../demo-site/network/index.ts'
import { SoftwareAuthenticator } from './authenticator.ts'
import { allowAccess } from './client.ts'
import { type Page, ScriptedBrowser } from './scripted-browser.ts'

export const MECHANISMS = ['password', 'one-time code', 'passkey', 'access network'] as const
export type Mechanism = (typeof MECHANISMS)[number]

export const MIRA = { phone_number: '+447700900101', password: 'northern lights' }

/** User with a browser and a sign-in method. */
export interface Person {
  browser: ScriptedBrowser
  /** Opens the authorization request, signs in and gives consent, up to the authorization response. */
  authorize(url: string | URL): Promise<Page>
}

export async function createPerson(mechanism: Mechanism, network: Network): Promise<Person> {
  const address = mechanism === 'access network' ? '127.0.0.77' : undefined
  if (address !== undefined) network.accessNetwork.attach(address, 'mira')
  const browser = new ScriptedBrowser(address === undefined ? {} : { address })
  const passkey = mechanism === 'passkey' ? await registerPasskey(network) : undefined

  async function signIn(page: Page): Promise<Page> {
    if (mechanism === 'password') return browser.submit(page, 'password', MIRA)
    if (mechanism === 'one-time code') return signInByCode(browser, page, network)
    if (!passkey) throw new Error('the access network should have known the subscriber')
    const action = page.document.querySelector('[data-passkey]')?.getAttribute('data-passkey')
    const options = await browser.post(new URL(action ?? '', page.url))
    return browser.submit(page, 'passkey', { assertion: passkey.get(options) })
  }

  return {
    browser,
    async authorize(url) {
      let page = await browser.open(url)
      if (page.screen === 'sign-in') page = await signIn(page)
      if (page.screen === 'consent') page = await allowAccess(browser, page)
      return page
    },
  }
}

export async function signInByCode(
  browser: ScriptedBrowser,
  page: Page,
  network: Network,
): Promise<Page> {
  const codePage = await browser.submit(page, 'send-code', { phone_number: MIRA.phone_number })
  return browser.submit(codePage, 'code', { code: readCodeOnPhone(network) })
}

export function readCodeOnPhone(network: Network, phoneNumber = MIRA.phone_number): string {
  const [message] = network.messages.inbox(phoneNumber)
  return /\d{6}/.exec(message?.text ?? '')?.[0] ?? ''
}

/** Registers a passkey in the account of the subscriber. */
export async function registerPasskey(network: Network): Promise<SoftwareAuthenticator> {
  const authenticator = new SoftwareAuthenticator(network.origin)
  const browser = new ScriptedBrowser()
  const account = await signInToAccount(browser, network)
  const options = await browser.post(`${network.origin}/account/passkey-options`)
  const assertion = authenticator.create(options)
  const after = await browser.submit(account, 'passkey', { assertion })
  if (after.document.querySelector('[data-passkeys="0"]')) throw new Error('no passkey was made')
  return authenticator
}

export async function signInToAccount(browser: ScriptedBrowser, network: Network): Promise<Page> {
  const page = await browser.open(`${network.origin}/account`)
  return page.screen === 'account' ? page : browser.submit(page, 'password', MIRA)
}
