/**
 * Tests a browser whose policy allows listed sites alone, and does not list the host of the redirect URI. Chromium's own
 * page for policy tests sets the policy, so the test is for Chromium alone; Firefox reads such a policy from the
 * folder of its program.
 *
 * Seen to fail before there was a look at the sign-in window: the call waited ten minutes for its deadline.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from './fixtures.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { openTab } from './support/pages.ts'
import { expectError } from './support/shapes.ts'
import { call, gesture } from './support/stage.ts'

interface Privileged {
  chrome: { send(message: string, args: string[]): void }
}

const LISTS = {
  URLBlocklist: ['*'],
  URLAllowlist: ['localhost', '127.0.0.1', 'chrome://*', 'chrome-extension://*', 'about:blank'],
}
/** Source, scope and level of an administrator's policy for the machine, as the browser's own numbers. */
const POLICIES = Object.entries(LISTS).map(([name, value]) => ({
  namespace: 'chrome',
  name,
  value,
  source: 4,
  scope: 1,
  level: 1,
}))

/** Sets the policies of the browser, which replace all others. */
async function setPolicies(policyPage: Page, policies: object[]): Promise<void> {
  await policyPage.evaluate((text) => {
    const { chrome } = globalThis as unknown as Privileged
    chrome.send('setLocalTestPolicies', ['policies', text, ''])
  }, JSON.stringify(policies))
}

const test = base
  .extend('policyPage', async ({ stage }, { onCleanup }) => {
    const policyPage = await openTab(stage.browser)
    onCleanup(() => policyPage.close())
    return policyPage
  })
  .extend('policyTest', async ({ policyPage }, { onCleanup }) => {
    await policyPage.goto('chrome://policy/test')
    // The browser is shared with other tests.
    onCleanup(() => setPolicies(policyPage, []))
    return policyPage
  })
  .extend('allowList', async ({ policyTest }) => {
    await setPolicies(policyTest, POLICIES)
    return LISTS
  })

describe.runIf(BROWSER === 'chromium')('a list of allowed sites without the redirect URI', () => {
  test('H18: 4901 redirect_blocked: the call ends at once, and its window closes', async ({
    stage,
    page,
    allowList,
  }) => {
    expect(allowList.URLAllowlist).not.toContain(new URL(stage.redirectBase).host)
    await signInBeforehand(stage)
    await gesture(page)
    const outcome = await call<Grant>(page, 'northbound_connect', stage.wish())
    expectError(outcome, 4901, 'redirect_blocked')
    expect(outcome.error?.message).toContain(new URL(stage.redirectBase).host)
  })
})
