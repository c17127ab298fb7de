/**
 * Operators by the browser's own policy, in Firefox, which reads it from the home folder of whoever
 * starts it. Chromium reads it from the machine's administrator alone.
 *
 * Seen to fail when policy is not read; when an operator by policy can be removed, and when its metadata is
 * left out; when an issuer may be there twice, an unknown member passes, and http anywhere.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { GECKO_ID } from '../../extension/identity.ts'
import { openBrowser } from '../../scripts/browsers.ts'
import { copyExtension } from '../../scripts/extension-copy.ts'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import { until } from './pages.ts'

const FIREFOX_UUID = '6e0d9a0e-5d43-4c56-a5a4-3c1c0a6f2b10'

const OPERATOR: OperatorProfile = {
  issuer: 'https://login.operator.example',
  name: 'Operator by policy',
  profile: 'camara',
  clientAuthentication: 'private_key_jwt',
  onboarding: 'dynamic',
  networkAuthentication: true,
  modes: ['fetch'],
  metadata: {
    token_endpoint: 'https://login.operator.example/token',
    grant_types_supported: ['authorization_code'],
    require_pushed_authorization_requests: true,
    mtls_endpoint_aliases: { token_endpoint: 'https://mtls.operator.example/token' },
  },
  capif: { authCode: 'both' },
  apis: [
    {
      resource: 'https://api.operator.example/qod',
      name: 'Quality on demand',
      scopes: [{ scope: 'qod:write', description: 'Change the rate' }],
      methods: ['GET', 'POST'],
      purposes: ['dpv:RequestedServiceProvision'],
      tokenUse: 'single-use',
    },
  ],
  applications: [
    { clientId: 'play', name: 'Play', origins: ['https://play.example'], requireConsent: false },
  ],
}

const POLICY = {
  operators: [
    OPERATOR,
    { ...OPERATOR, name: 'Twice' },
    { ...OPERATOR, issuer: 'https://b.example', name: 'Misspelt', onbording: 'dynamic' },
    { ...OPERATOR, issuer: 'http://c.example', name: 'Plain http' },
  ],
}

/** Writes the policy where Firefox reads it. */
async function writePolicy(home: string): Promise<void> {
  const folder =
    process.platform === 'darwin'
      ? 'Library/Application Support/Mozilla/ManagedStorage'
      : '.mozilla/managed-storage'
  const path = join(home, folder, `${GECKO_ID}.json`)
  await mkdir(dirname(path), { recursive: true })
  const manifest = { name: GECKO_ID, description: 'Policy', type: 'storage', data: POLICY }
  await writeFile(path, JSON.stringify(manifest))
}

describe('in firefox, operators by policy', () => {
  let home: string
  let browser: Browser
  let screen: Page
  let remove: () => Promise<void>
  const homeBefore = process.env.HOME

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'northkey-home-'))
    await writePolicy(home)
    const extension = await copyExtension('firefox', [], inject('builds'))
    remove = extension.remove
    const profile = join(home, 'profile')
    await mkdir(profile)
    const uuids = JSON.stringify(JSON.stringify({ [GECKO_ID]: FIREFOX_UUID }))
    await writeFile(
      join(profile, 'prefs.js'),
      `user_pref("extensions.webextensions.uuids", ${uuids});\n`,
    )
    process.env.HOME = home
    browser = await openBrowser('firefox', { extension: extension.path, profile })
    screen = await browser.newPage()
    const origin = `moz-extension://${FIREFOX_UUID}`
    // A browser reads its policy a little after it has loaded the extension.
    await until('the operators', async () => {
      void screen.goto(`${origin}/ui/operators/index.html`).catch(() => {})
      const shown = '[data-testid=operator], [data-testid=refused]'
      return screen.waitForSelector(shown, { timeout: 1_500 }).catch(() => undefined)
    })
  })
  afterAll(async () => {
    await browser?.close()
    process.env.HOME = homeBefore
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
    await remove?.()
  })

  test('one that is good is there, as a whole, and cannot be removed', async () => {
    const shown = await screen.$$eval('[data-testid=operator]', (found) =>
      found.map((element) => (element as HTMLElement).innerText),
    )
    expect(shown).toHaveLength(1)
    for (const part of ['Operator by policy', 'Set by your organization', 'Quality on demand']) {
      expect(shown[0]).toContain(part)
    }
    expect(await screen.$('[data-testid=remove]')).toBeNull()
    const { operators } = (await screen.evaluate(() =>
      (
        globalThis as unknown as {
          chrome: { runtime: { sendMessage(message: object): Promise<unknown> } }
        }
      ).chrome.runtime.sendMessage({ type: 'screenRequest', method: 'listOperators', params: {} }),
    )) as { operators: { profile: OperatorProfile }[] }
    expect(operators[0]?.profile).toEqual(OPERATOR)
  })

  test('what is not used is shown with the reason', async () => {
    const refused = await screen.$$eval('[data-testid=refused]', (found) =>
      found.map((element) => (element as HTMLElement).innerText.replace(/\s+/g, ' ')),
    )
    expect(refused).toEqual([
      expect.stringMatching(/^Twice.*issuer: expected one that no other profile has/),
      expect.stringMatching(/^Misspelt.*onbording: unknown member/),
      expect.stringMatching(/^Plain http.*issuer: expected an https URL/),
    ])
  })
})
