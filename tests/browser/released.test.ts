/**
 * Tests the build that users get, from the import of an operator to a northbound call. This build sends
 * requests to https only, so it cannot reach the network of the other tests. A small authorization server and
 * a small API take its place.
 *
 * Seen to fail when `__DEVELOPMENT__` is also true in the released build (the first two), when the content
 * security policy of its pages has no `https:` in `connect-src`, and when the request has the challenge of
 * another verifier (the flow), and without Chromium's static rule (the `Origin` of the token request).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import type { OperatorCheck } from '../../shared/messages/screen-channel.ts'
import { test as base } from './fixtures.ts'
import { API, ISSUER, OPERATOR, serveOperator } from './support/https-operator.ts'
import { chooseFile, openOperators } from './support/operators-screen.ts'
import { inFront } from './support/pages.ts'
import {
  ask,
  askBackground,
  openPopup,
  SITE,
  type SitesStage,
  siteOf,
  switchSiteOn,
} from './support/sites-stage.ts'
import { answerConsent, atRedirectHost } from './support/stage.ts'

const test = base
  .extend('build', 'released')
  .extend('popup', ({ sitesStage }) => openPopup(sitesStage))

/** Imports the operator as a user does who has received a file from the operator. */
async function importOperator(stage: SitesStage, popup: Page): Promise<void> {
  for (const origin of [ISSUER, API]) await stage.give(popup, origin)
  const screen = await openOperators(stage)
  await chooseFile(screen, OPERATOR)
  await screen.click('[data-testid=confirm-import]')
  await screen.waitForSelector('[data-testid=operator]')
}

describe('the released build', () => {
  test('knows no operator, and takes none on this machine', async ({ popup }) => {
    expect(await askBackground(popup, 'listOperators', {})).toEqual({
      operators: [],
      rejected: [],
      policy: [],
    })
    const text = JSON.stringify({ ...OPERATOR, issuer: 'http://localhost:4400' })
    const { reasons } = await askBackground<OperatorCheck>(popup, 'checkOperator', { text })
    expect(reasons).toEqual(['issuer: expected an https URL'])
  })

  test('is on for no page of this machine, and cannot be switched on for one', async ({
    sitesStage,
    popup,
  }) => {
    const { origin } = sitesStage.application
    const page = await sitesStage.open(origin)
    expect(await ask(page, 'broker_getInfo')).toBeUndefined()
    expect((await siteOf(popup, origin)).state).toBe('unfit')
  })

  test('a flow works from the file of an operator to a northbound call, over https alone', async ({
    sitesStage,
    popup,
  }) => {
    serveOperator(sitesStage.outside)
    await importOperator(sitesStage, popup)
    await switchSiteOn(sitesStage, popup, SITE)
    const page = await sitesStage.open(SITE)
    await inFront(page)
    const apis = [{ resource: `${API}/v1`, scope: 'qod' }]
    const connecting = ask<Grant>(page, 'northbound_connect', { issuer: ISSUER, apis })
    await answerConsent(sitesStage, 'allow')
    expect((await connecting)?.result).toMatchObject({ issuer: ISSUER, apis, mode: 'fetch' })
    const url = `${API}/v1/sessions`
    const answer = await ask<FetchResult>(page, 'northbound_fetch', { url })
    expect(answer?.result).toMatchObject({ status: 200 })
    const { requests, headers } = sitesStage.outside
    // H01: the rule holds with a permission that the user has given at run time.
    expect(headers[requests.indexOf(`${ISSUER}/token`)]).not.toHaveProperty('origin')
    const reached = [...new Set(requests.map((request) => new URL(request).origin))]
    expect(reached).toEqual(expect.arrayContaining([SITE, ISSUER, API]))
    expect(atRedirectHost(sitesStage)).toEqual([])
  })
})
