/**
 * Tests the end of the browser's host permissions (A11h, A11i), with what each browser reports of them.
 *
 * Seen to fail when `removeOperator` removes no permission, and when a question for a site is not ended by
 * the user's no (`endPermissionRequest` does nothing).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import { BROWSER, test as base } from './fixtures.ts'
import {
  askBackground,
  OTHER_SITE,
  openPopup,
  SITE,
  siteOf,
  switchSiteOn,
} from './support/sites-stage.ts'

const test = base.extend('popup', ({ sitesStage }) => openPopup(sitesStage))

const HOST = 'https://operator.example'
const OPERATOR: OperatorProfile = {
  issuer: HOST,
  name: 'Second Operator',
  profile: 'oauth',
  apis: [{ resource: `${HOST}/api`, name: 'Number check', scopes: [{ scope: 'check' }] }],
}

const hasPermission = (screen: Page, origin: string): Promise<boolean> =>
  screen.evaluate((pattern) => {
    const { chrome } = globalThis as unknown as {
      chrome: { permissions: { contains(what: { origins: string[] }): Promise<boolean> } }
    }
    return chrome.permissions.contains({ origins: [pattern] })
  }, `${origin}/*`)

describe('a host permission', () => {
  test('A11i: for a site that the user declined switches it on neither at once nor later', async ({
    sitesStage,
    popup,
  }) => {
    const { permissions } = await siteOf(popup, SITE)
    await askBackground(popup, 'openPermissionRequest', { permissions, site: { origin: SITE } })
    await askBackground(popup, 'endPermissionRequest', {})
    await popup.bringToFront()
    await sitesStage.give(popup, SITE)
    expect(await hasPermission(popup, SITE)).toBe(true)
    // A barrier: this site is on by the event that comes after the one of the other site.
    await switchSiteOn(sitesStage, popup, OTHER_SITE)
    expect(await siteOf(popup, SITE)).toMatchObject({ state: 'off' })
  })

  // In Chromium the hosts of this stage are hosts of the manifest, which an extension cannot remove.
  if (BROWSER === 'firefox') {
    test('A11h: of an operator is removed with it, and that of a site stays', async ({
      sitesStage,
      popup,
    }) => {
      await switchSiteOn(sitesStage, popup, SITE)
      await askBackground(popup, 'openPermissionRequest', { permissions: [`${HOST}/*`] })
      await popup.bringToFront()
      await sitesStage.give(popup, HOST)
      const check = await askBackground<object>(popup, 'addOperator', {
        text: JSON.stringify(OPERATOR),
      })
      expect(check).toMatchObject({ profile: OPERATOR })
      expect(await hasPermission(popup, HOST)).toBe(true)
      expect(await askBackground(popup, 'removeOperator', { issuer: HOST })).toEqual({
        permissions: [`${HOST}/*`],
      })
      expect(await hasPermission(popup, HOST)).toBe(false)
      expect(await hasPermission(popup, SITE)).toBe(true)
      expect(await siteOf(popup, SITE)).toMatchObject({ state: 'on' })
      await askBackground(popup, 'stopSite', { origin: SITE })
      expect(await hasPermission(popup, SITE)).toBe(false)
    })
  }
})
