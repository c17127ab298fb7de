/**
 * Two authorization servers, one of them hostile. What belongs to the honest one never reaches the
 * other. @see RFC 9700 section 4.4, RFC 9207
 *
 * Seen to fail when `validateAuthorizationResponse` does not compare the redirect URI: where no server
 * says its name, the evil token endpoint gets the honest code.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Network, startNetwork } from '../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { redirectUriFor } from '../../shared/core/index.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from './support/application.ts'
import { changeMetadata } from './support/faults.ts'
import { gesture } from './support/known-subscriber.ts'
import { pageAt } from './support/pages.ts'
import {
  atRedirectHost,
  authorizationResponses,
  BROWSERS,
  type Called,
  CLIENT_ID,
  call,
  formOf,
  type Stage,
  signIn,
  startStage,
  tokenRequests,
} from './support/stage.ts'

describe.each(BROWSERS)('in %s, an honest and an evil authorization server', (name) => {
  let stage: Stage
  let evil: Network
  let second: ApplicationServer
  let page: Page

  beforeAll(async () => {
    second = await startApplication()
    stage = await startStage(name, {
      requireConsent: false,
      others: async (origin) => {
        evil = await startNetwork({
          applications: [
            { clientId: CLIENT_ID, name: 'Cloud gaming', origins: [origin, second.origin] },
          ],
          redirectBases: Object.values(REDIRECT_BASE),
        })
        return evil.operatorProfiles
      },
    })
    page = await stage.open()
    const first = call<Grant>(page, 'northbound_connect', stage.wish())
    await signIn(stage)
    expect((await first).error).toBeUndefined()
  })
  afterEach(() => {
    evil.faults.clear()
    stage.network.faults.clear()
    evil.log.clear()
    expect(atRedirectHost(stage)).toEqual([])
  })
  afterAll(async () => {
    await stage?.close()
    await evil?.close()
    await second?.close()
  })

  function evilWish() {
    const { issuer, operatorProfiles } = evil
    const [api] = operatorProfiles[0]?.apis ?? []
    return { issuer, apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }] }
  }

  const evilTokenRequests = () => evil.log.filter({ method: 'POST', path: /\/token$/ })

  /** The evil server sends the user on to the honest one, with the honest client's own parameters. */
  async function mixUp(opener: Page): Promise<Called<Grant>> {
    const before = tokenRequests(stage).length
    const asked = new Promise<URL>((resolve) => {
      const undo = evil.log.onCompleted(({ path, query }) => {
        if (path !== '/auth') return
        undo()
        const url = new URL(`${stage.network.issuer}/auth`)
        for (const [key, value] of Object.entries(query)) {
          for (const one of [value].flat()) url.searchParams.append(key, one)
        }
        resolve(url)
      })
    })
    await gesture(opener)
    evil.faults.add({ path: '/auth', times: 1, action: { type: 'drip', bytesPerSecond: 1e6 } })
    const outcome = call<Grant>(opener, 'northbound_connect', evilWish())
    const honest = await asked
    const { issuer, operatorProfiles } = stage.network
    const [api] = operatorProfiles[0]?.apis ?? []
    honest.searchParams.set('redirect_uri', await redirectUriFor(stage.redirectBase, issuer))
    honest.searchParams.set('resource', api?.resource ?? '')
    const responses = authorizationResponses(stage).length
    const operator = await pageAt(stage.browser, evil.issuer)
    await operator.evaluate((address) => location.assign(address), honest.href).catch(() => {})
    const settled = await outcome
    // The honest server did hand out a code: there was something to steal.
    expect(authorizationResponses(stage).length).toBe(responses + 1)
    expect(authorizationResponses(stage).at(-1)).toContain('code=')
    expect(tokenRequests(stage)).toHaveLength(before)
    return settled
  }

  test('R12: an honest code in a flow that began at the evil server reaches no token endpoint', async () => {
    const outcome = await mixUp(page)
    expect(outcome.error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(evilTokenRequests()).toEqual([])
  })

  test('R12: nor where neither server says its name in the response', async () => {
    await changeMetadata(evil, (metadata) => {
      metadata.authorization_response_iss_parameter_supported = false
    })
    stage.network.faults.add({ path: '/auth', action: { type: 'issuer', issuer: null } })
    const outcome = await mixUp(page)
    expect(authorizationResponses(stage).at(-1)).not.toContain('iss=')
    expect(outcome.error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(evilTokenRequests()).toEqual([])
  })

  test('X05, X06: two flows at two servers at once, answered in the other order', async () => {
    await call(page, 'northbound_revoke')
    const other = await stage.browser.newPage()
    await other.goto(second.origin)
    await gesture(page)
    const honest = call<Grant>(page, 'northbound_connect', stage.wish())
    await pageAt(stage.browser, stage.network.issuer)
    await gesture(other)
    const crossed = call<Grant>(other, 'northbound_connect', evilWish())
    await pageAt(stage.browser, evil.issuer)
    await signIn({ ...stage, network: evil })
    expect((await crossed).result).toMatchObject({ issuer: evil.issuer })
    await signIn(stage)
    expect((await honest).result).toMatchObject({ issuer: stage.network.issuer })

    const codesOf = (requests: typeof evil.log.entries) =>
      requests.map((entry) => formOf(entry).code)
    const evilCodes = codesOf(evilTokenRequests())
    expect(evilCodes).toHaveLength(1)
    expect(codesOf(tokenRequests(stage))).not.toContain(evilCodes[0])
    const grantsOf = async (at: Page) =>
      (await call<Grant[]>(at, 'northbound_getGrants')).result?.map(({ issuer }) => issuer)
    expect(await grantsOf(page)).toEqual([stage.network.issuer])
    expect(await grantsOf(other)).toEqual([evil.issuer])
    await other.close()
  })

  test('D14, C01: the tokens of one server go to its own APIs alone', async () => {
    const other = await stage.browser.newPage()
    await other.goto(second.origin)
    const honestUrl = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    const evilUrl = `${evilWish().apis[0]?.resource}/cloud-gaming/subscriptions`
    expect((await call(page, 'northbound_fetch', { url: evilUrl })).error).toMatchObject({
      code: ERROR_CODE.noGrant,
    })
    expect((await call(other, 'northbound_fetch', { url: honestUrl })).error).toMatchObject({
      code: ERROR_CODE.noGrant,
    })
    expect(evil.log.filter({ server: 'api-exposing-functions' })).toEqual([])
    await other.close()
  })
})
