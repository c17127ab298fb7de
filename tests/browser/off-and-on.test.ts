/**
 * Tests an extension that is disabled and enabled again, or removed, during a flow.
 *
 * Seen to fail when `extension/background/index.ts` does not call `cleanUpOnce` (L15: the record of the
 * interrupted flow stays).
 */

import { describe, expect } from 'vitest'
import { CHROMIUM_ID, GECKO_ID } from '../../extension/identity.ts'
import { type AccessToken, ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { openExtensionsPage } from './support/extensions-page.ts'
import { connectQuickly } from './support/known-subscriber.ts'
import { call, databaseText, gesture, openScreen, type Stage, signInPage } from './support/stage.ts'

interface Privileged {
  chrome: { management: { setEnabled(id: string, enabled: boolean): Promise<void> } }
  ChromeUtils: {
    importESModule(url: string): {
      AddonManager: {
        getAddonByID(id: string): Promise<{ enable(): Promise<void>; disable(): Promise<void> }>
      }
    }
  }
}

/** Disables or enables the extension on the browser's own page of extensions, as a user does. */
async function switchExtension(stage: Stage, on: boolean): Promise<void> {
  const page = await openExtensionsPage(stage)
  if (stage.name === 'chromium') {
    await page.evaluate(
      (id, enabled) =>
        (globalThis as unknown as Privileged).chrome.management.setEnabled(id, enabled),
      CHROMIUM_ID,
      on,
    )
  } else {
    await page.evaluate(
      async (id, method) => {
        const { ChromeUtils } = globalThis as unknown as Privileged
        const module = 'resource://gre/modules/AddonManager.sys.mjs'
        const addon = await ChromeUtils.importESModule(module).AddonManager.getAddonByID(id)
        await addon[method]()
      },
      GECKO_ID,
      on ? ('enable' as const) : ('disable' as const),
    )
  }
  await page.close()
}

describe('the extension', () => {
  test('L15: switched off in the middle of a flow: the page is told; switched on again, nothing is left of it and a new one works', async ({
    stage,
    page,
  }) => {
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    const operator = await signInPage(stage)
    await switchExtension(stage, false)
    expect((await outcome).error).toMatchObject({ code: ERROR_CODE.brokerGone })
    await operator.close()

    await switchExtension(stage, true)
    const again = await stage.open()
    expect((await call<Grant[]>(again, 'northbound_getGrants')).result).toEqual([])
    const screen = await openScreen(stage)
    await expect.poll(async () => (await databaseText(screen)).flows).toEqual([])
    expect((await connectQuickly(stage, again)).error).toBeUndefined()
  })

  const inTokenMode = test.extend('wish', { mode: 'token' })
  inTokenMode(
    'C20: removed, it takes its grants along; a token that a page holds lives until its end',
    async ({ stage, page, granted: { grantId, apis } }) => {
      const { result } = await call<AccessToken>(page, 'northbound_getAccessToken', { grantId })
      await stage.browser.uninstallExtension(BROWSER === 'chromium' ? CHROMIUM_ID : GECKO_ID)
      expect((await call(page, 'northbound_getGrants')).error).toMatchObject({
        code: ERROR_CODE.brokerGone,
      })
      const url = `${apis[0]?.resource}/cloud-gaming/subscriptions`
      const headers = { authorization: `Bearer ${result?.accessToken}` }
      expect((await fetch(url, { headers })).status).toBe(200)

      await stage.browser.installExtension(stage.extensionPath)
      const again = await stage.open()
      expect((await call<Grant[]>(again, 'northbound_getGrants')).result).toEqual([])
    },
  )
})
