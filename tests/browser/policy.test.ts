/**
 * Tests operators that the browser's enterprise policy configures. Firefox reads the policy from the home
 * folder of the user who starts it. Chromium reads it only from the files of the machine's administrator, so
 * the test uses Chromium's own page for policy tests, which Chrome has only outside its stable and beta
 * channels. That page does not check a policy against `policy.schema.json`; `tests/extension/build.test.ts`
 * does.
 *
 * Seen to fail when the policy is not read; when an operator of the policy can be removed, and when its
 * metadata is left out; when an issuer may exist twice, an unknown member is accepted, and http is accepted
 * for every host; and when the operators are read once and never again (removed from the policy).
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { describe, expect, inject } from 'vitest'
import { CHROMIUM_ID, GECKO_ID } from '../../extension/identity.ts'
import type { BrowserName } from '../../scripts/browsers.ts'
import { copyExtension } from '../../scripts/extension-copy.ts'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { OperatorList } from '../../shared/messages/screen-channel.ts'
import { BROWSER, test as base } from './fixtures.ts'
import { type BrowserHost, openHost } from './support/browser-host.ts'
import { openTab, until } from './support/pages.ts'
import { askBackground } from './support/sites-stage.ts'

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

/** Source and scope of a policy, as the browser's own numbers: an administrator's files, for the machine. */
const PLATFORM = 4
const MACHINE = 1
const MANDATORY = 1

/** Sets the policy in Chromium that an administrator would write into its policy folder. */
async function setPolicy({ browser }: BrowserHost, operators: unknown[]): Promise<void> {
  const page = await openTab(browser)
  await page.goto('chrome://policy/test')
  const policy = { namespace: CHROMIUM_ID, name: 'operators', value: operators }
  const from = { source: PLATFORM, scope: MACHINE, level: MANDATORY }
  await page.evaluate(
    (policies) => {
      interface Privileged {
        chrome: { send(message: string, args: string[]): void }
      }
      const { chrome } = globalThis as unknown as Privileged
      chrome.send('setLocalTestPolicies', ['policies', policies, ''])
    },
    JSON.stringify([{ ...policy, ...from }]),
  )
  await page.close()
}

/** Writes the policy into the folder that Firefox reads. */
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

/** Opens a separate browser that reads the policy. The shared browser must not read it. */
async function openHostWithPolicy(name: BrowserName, home: string): Promise<BrowserHost> {
  if (name === 'chromium') return openHost(name)
  await writePolicy(home)
  const homeBefore = process.env.HOME
  process.env.HOME = home
  try {
    return await openHost(name)
  } finally {
    process.env.HOME = homeBefore
  }
}

const test = base
  .extend('policyHost', { scope: 'file' }, async ({ browserName }, { onCleanup }) => {
    const home = await mkdtemp(join(tmpdir(), 'northkey-home-'))
    const host = await openHostWithPolicy(browserName, home)
    onCleanup(async () => {
      await host.close()
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    })
    return host
  })
  // Chromium does not give the same policy to a second installation.
  .extend('extension', { scope: 'file' }, async ({ policyHost }, { onCleanup }) => {
    const extension = await copyExtension(policyHost.name, [], inject('builds'))
    onCleanup(() => extension.remove())
    return extension
  })
  .extend('brokerOrigin', { scope: 'file' }, ({ policyHost, extension }) =>
    policyHost.install(extension.path),
  )
  .extend('tab', async ({ policyHost }, { onCleanup }) => {
    const tab = await openTab(policyHost.browser)
    onCleanup(() => tab.close())
    return tab
  })
  .extend('screen', async ({ policyHost, brokerOrigin, tab }) => {
    if (BROWSER === 'chromium') await setPolicy(policyHost, POLICY.operators)
    await showOperators(tab, brokerOrigin, '[data-testid=operator]')
    return tab
  })

/**
 * Reloads the screen until it shows the operator: a browser reads the policy shortly after it installs the
 * extension.
 */
async function showOperators(screen: Page, brokerOrigin: string, shown: string): Promise<void> {
  await until('the operators', async () => {
    void screen.goto(`${brokerOrigin}/ui/operators/index.html`).catch(() => {})
    return screen.waitForSelector(shown, { timeout: 500 }).catch(() => undefined)
  })
}

describe('operators by policy', () => {
  test('a valid operator is there with all its members, and cannot be removed', async ({
    screen,
  }) => {
    const shown = await screen.$$eval('[data-testid=operator]', (found) =>
      found.map((element) => (element as HTMLElement).innerText),
    )
    expect(shown).toHaveLength(1)
    for (const part of ['Operator by policy', 'Set by your organization', 'Quality on demand']) {
      expect(shown[0]).toContain(part)
    }
    expect(await screen.$('[data-testid=remove]')).toBeNull()
    const { operators } = await askBackground<OperatorList>(screen, 'listOperators', {})
    expect(operators[0]?.profile).toEqual(OPERATOR)
  })

  test('an operator that is rejected is shown with the reason', async ({ screen }) => {
    const rejected = await screen.$$eval('[data-testid=rejected]', (found) =>
      found.map((element) => (element as HTMLElement).innerText.replace(/\s+/g, ' ')),
    )
    expect(rejected).toEqual([
      expect.stringMatching(/^Twice.*issuer: expected one that no other profile has/),
      expect.stringMatching(/^Misspelt.*onbording: unknown member/),
      expect.stringMatching(/^Plain http.*issuer: expected an https URL/),
    ])
  })

  if (BROWSER === 'chromium') {
    // Firefox reads its file once.
    test('removed from the policy while the browser runs, they are gone', async ({
      policyHost,
      brokerOrigin,
      screen,
    }) => {
      await setPolicy(policyHost, [])
      await showOperators(screen, brokerOrigin, '::-p-text(None yet)')
      expect(await screen.$('[data-testid=operator]')).toBeNull()
      expect(await screen.$('[data-testid=rejected]')).toBeNull()
    })
  }
})
