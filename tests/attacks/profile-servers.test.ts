/**
 * An operator whose profile shows a good issuer and sends the user or the code to another server: by its file, by
 * the metadata at the import, or by metadata that change later. The released build; the oracle is the record of all
 * connections.
 *
 * Seen to fail when the operator is added whatever the browser answered (both tests), when the consent window shows
 * the issuer's host (the second), and when `discoverServer` does not compare the metadata with the profile: the
 * sign-in window opened then.
 */

import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import type { OperatorCheck, OperatorList } from '../../shared/messages/screen-channel.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { violationsOf } from '../browser/support/axe.ts'
import { API, ISSUER, OPERATOR, serveOperator } from '../browser/support/https-operator.ts'
import { chooseFile, openOperators } from '../browser/support/operators-screen.ts'
import { inFront, pageAt } from '../browser/support/pages.ts'
import {
  ask,
  askBackground,
  forgetWindows,
  openPopup,
  SITE,
  type SitesStage,
  switchSiteOn,
} from '../browser/support/sites-stage.ts'
import { answerConsent } from '../browser/support/stage.ts'

const EVIL = 'https://evil.example'
const SIGN_IN = 'https://signin.example'
const TOKENS = 'https://tokens.example'
const APIS = [{ resource: `${API}/v1`, scope: 'qod' }]

const test = base
  .extend('build', 'released')
  .extend('popup', ({ sitesStage }) => openPopup(sitesStage))
  .extend('screen', async ({ sitesStage, popup }) => {
    for (const origin of [ISSUER, API]) await sitesStage.give(popup, origin)
    return openOperators(sitesStage)
  })

/** Refuses the permission request of a screen, as the user does in the browser's own prompt. */
function refusePermissions(screen: Page): Promise<void> {
  return screen.evaluate(() => {
    type Request = (what: object, callback?: (isGiven: boolean) => void) => Promise<boolean>
    const { chrome } = globalThis as unknown as { chrome: { permissions: { request: Request } } }
    chrome.permissions.request = async (_, callback) => {
      callback?.(false)
      return false
    }
    Object.assign((globalThis as { browser?: typeof chrome }).browser?.permissions ?? {}, {
      request: chrome.permissions.request,
    })
  })
}

const operatorsOf = async (screen: Page) =>
  (await askBackground<OperatorList>(screen, 'listOperators', {})).operators

const originsShown = (screen: Page, within: string) =>
  screen.$$eval(`[data-testid=${within}] [data-origin]`, (rows) =>
    rows.map((row) => [
      row.getAttribute('data-origin'),
      row.getAttribute('data-foreign') === 'true',
    ]),
  )

const connectionsTo = ({ outside }: SitesStage, url: string) =>
  outside.connections.filter((host) => host === new URL(url).hostname)

async function startConnect(page: Page) {
  await inFront(page)
  await page.mouse.click(5, 5)
  return { connecting: ask<Grant>(page, 'northbound_connect', { issuer: ISSUER, apis: APIS }) }
}

/** Connects until the consent window is there. A call that ends before has an error. */
async function openConsent(stage: SitesStage, page: Page) {
  const { connecting } = await startConnect(page)
  const ended = connecting.then((outcome): never => {
    throw new Error(`the call has ended: ${JSON.stringify(outcome?.error)}`)
  })
  ended.catch(() => {})
  const consent = await Promise.race([ended, pageAt(stage.browser, '/ui/consent/')])
  return { connecting, consent }
}

test('A01: a file with a token endpoint elsewhere shows it, and adds nothing without the permission for it', async ({
  sitesStage,
  popup,
  screen,
}) => {
  serveOperator(sitesStage.outside)
  const profile = { ...OPERATOR, metadata: { token_endpoint: `${EVIL}/token` } }
  await chooseFile(screen, profile)
  expect(await originsShown(screen, 'confirmation')).toEqual([
    [ISSUER, false],
    [EVIL, true],
    [API, true],
  ])
  expect(await violationsOf(screen)).toEqual([])
  await refusePermissions(screen)
  await screen.click('[data-testid=confirm-import]')
  await screen.waitForSelector('[data-testid=refused]')
  expect(await operatorsOf(screen)).toEqual([])
  const giveHonest = async () => {
    for (const origin of [ISSUER, API]) await sitesStage.give(popup, origin)
  }
  // In Firefox the refused import has ended the permissions for the other servers.
  await giveHonest()
  const text = JSON.stringify(profile)
  const { reasons } = await askBackground<OperatorCheck>(screen, 'addOperator', { text })
  expect(reasons).toEqual([`permission: expected the browser's for ${EVIL}/*`])
  await giveHonest()
  // The same file without that server is added with the permissions that there are.
  const honest = JSON.stringify(OPERATOR)
  const added = await askBackground<OperatorCheck>(screen, 'addOperator', { text: honest })
  expect(added.reasons).toBeUndefined()
  expect(connectionsTo(sitesStage, EVIL)).toEqual([])
})

test('A01, A09: servers that metadata name are confirmed before the sign-in, also those that they name later', async ({
  sitesStage,
  popup,
  screen,
}) => {
  const { outside } = sitesStage
  serveOperator(outside, { signIn: SIGN_IN, tokens: TOKENS })
  await chooseFile(screen, OPERATOR)
  await screen.click('[data-testid=confirm-import]')
  await screen.waitForSelector('[data-testid=second-confirmation]')
  expect(await originsShown(screen, 'second-confirmation')).toEqual([
    [SIGN_IN, true],
    [TOKENS, true],
  ])
  expect(await violationsOf(screen)).toEqual([])
  expect(await operatorsOf(screen)).toEqual([])
  expect([...connectionsTo(sitesStage, SIGN_IN), ...connectionsTo(sitesStage, TOKENS)]).toEqual([])
  // Firefox gives the permission at the request.
  if (BROWSER === 'chromium') {
    for (const origin of [SIGN_IN, TOKENS]) await sitesStage.give(popup, origin)
  }
  await screen.bringToFront()
  await screen.click('[data-testid=confirm-import]')
  await screen.waitForSelector('[data-testid=operator]')

  await switchSiteOn(sitesStage, popup, SITE)
  const page = await sitesStage.open(SITE)
  const { connecting, consent } = await openConsent(sitesStage, page)
  await consent.waitForSelector('[data-testid=sign-in-host]')
  expect(await consent.$eval('[data-testid=sign-in-host]', (host) => host.textContent)).toBe(
    new URL(SIGN_IN).host,
  )
  await answerConsent(sitesStage, 'allow')
  expect((await connecting)?.result).toMatchObject({ issuer: ISSUER })
  expect(outside.requests).toContain(`${TOKENS}/token`)
  expect(outside.requests.filter((url) => url.startsWith(`${ISSUER}/authorize`))).toEqual([])

  await ask(page, 'northbound_revoke', {})
  const requestsBefore = outside.requests.length
  serveOperator(outside, { signIn: SIGN_IN, tokens: EVIL })
  await forgetWindows(popup)
  const { connecting: refused } = await startConnect(page)
  // The user is asked only if the metadata take their time, and then in vain.
  const allowed = pageAt(sitesStage.browser, '/ui/consent/').then(() =>
    answerConsent(sitesStage, 'allow'),
  )
  allowed.catch(() => {})
  expect((await refused)?.error).toMatchObject({
    code: ERROR_CODE.untrustedResponse,
    data: { error: 'invalid_response' },
  })
  // Firefox sends requests of its own.
  const later = outside.requests.slice(requestsBefore).filter((url) => url.includes('.example/'))
  expect(later.filter((url) => !url.startsWith(`${ISSUER}/.well-known/`))).toEqual([])
  expect(connectionsTo(sitesStage, EVIL)).toEqual([])

  // Whoever confirms the new server can connect again.
  const again = await openOperators(sitesStage)
  await again.waitForSelector('[data-testid=unnamed]')
  expect(await again.$eval('[data-testid=unnamed]', (found) => found.textContent)).toContain(EVIL)
  expect(await violationsOf(again)).toEqual([])
  if (BROWSER === 'chromium') await sitesStage.give(popup, EVIL)
  await again.bringToFront()
  await again.click('[data-testid=add-servers]')
  await again.waitForSelector('[data-testid=unnamed]', { hidden: true })
  await forgetWindows(popup)
  const { connecting: confirmed } = await openConsent(sitesStage, page)
  await answerConsent(sitesStage, 'allow')
  expect((await confirmed)?.result).toMatchObject({ issuer: ISSUER })
  expect(outside.requests).toContain(`${EVIL}/token`)
})
