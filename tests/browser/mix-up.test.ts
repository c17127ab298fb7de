/**
 * Tests a mix-up attack with an honest and an evil authorization server. No code or token of the honest
 * server reaches the evil server.
 *
 * Seen to fail when `validateAuthorizationResponse` does not compare the redirect URI (R12: where the
 * responses have no `iss`, the evil token endpoint gets the honest code), and when a grant is used for a URL
 * that belongs to no API of its operator (D14, C01).
 *
 * @see RFC 9700 section 4.4
 * @see RFC 9207
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { type LogEntry, type Network, startNetwork } from '../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { redirectUriFor } from '../../shared/core/index.ts'
import {
  type ConnectParams,
  ERROR_CODE,
  type FetchResult,
  type Grant,
} from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { subscriptionsUrl } from './support/api-calls.ts'
import { startApplication } from './support/application.ts'
import { changeMetadata } from './support/faults.ts'
import { connectQuickly, signInBeforehand } from './support/known-subscriber.ts'
import { openPage, pageAt } from './support/pages.ts'
import {
  atRedirectHost,
  authorizationResponses,
  type Called,
  CLIENT_ID,
  call,
  formOf,
  gesture,
  type Stage,
  signIn,
  tokenRequests,
} from './support/stage.ts'

/** `second`: an application on another origin. `evil`: an operator that both applications know. */
const test = base
  .extend('second', async ({ browserName: _ }, { onCleanup }) => {
    const application = await startApplication()
    onCleanup(() => application.close())
    return application
  })
  .extend('evil', async ({ second }, { onCleanup }) => {
    const network = await startNetwork({
      applications: [{ clientId: CLIENT_ID, name: 'Cloud gaming', origins: [second.origin] }],
      redirectBases: Object.values(REDIRECT_BASE),
    })
    onCleanup(() => network.close())
    return network
  })
  .extend('options', ({ evil }) => ({
    others: async (origin: string) =>
      evil.operatorProfiles.map(({ applications = [], ...profile }) => ({
        ...profile,
        applications: applications.map(({ origins, ...application }) => ({
          ...application,
          origins: [...origins, origin],
        })),
      })),
  }))

test.afterEach(({ stage }) => expect(atRedirectHost(stage)).toEqual([]))

function evilWish({ issuer, operatorProfiles }: Network): ConnectParams {
  const [api] = operatorProfiles[0]?.apis ?? []
  return { issuer, apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }] }
}

const tokenRequestsOf = ({ log }: Network) => log.filter({ method: 'POST', path: /\/token$/ })

/** Makes the evil server redirect the user to the honest server, with the parameters of the honest client. */
async function mixUp(stage: Stage, evil: Network, page: Page): Promise<Called<Grant>> {
  await signInBeforehand(stage)
  const asked = new Promise<URL>((resolve) => {
    const undo = evil.log.onCompleted(({ path, query }) => {
      if (path !== '/auth') return
      undo()
      const url = new URL(`${stage.network.issuer}/auth`)
      for (const [key, value] of Object.entries(query)) {
        for (const text of [value].flat()) url.searchParams.append(key, text)
      }
      resolve(url)
    })
  })
  await gesture(page)
  const outcome = call<Grant>(page, 'northbound_connect', evilWish(evil))
  const honest = await asked
  const { issuer, operatorProfiles } = stage.network
  const [api] = operatorProfiles[0]?.apis ?? []
  honest.searchParams.set('redirect_uri', await redirectUriFor(stage.redirectBase, issuer))
  honest.searchParams.set('resource', api?.resource ?? '')
  const operator = await pageAt(stage.browser, evil.issuer)
  // A navigation away from a page that still loads may be cancelled by the load.
  await operator.waitForSelector('form')
  await operator.evaluate((address) => location.assign(address), honest.href).catch(() => {})
  const settled = await outcome
  // Control: the honest server issued a code, so there was a code to steal.
  const responses = authorizationResponses(stage)
  expect(responses).toHaveLength(1)
  expect(responses[0]).toContain('code=')
  expect(tokenRequests(stage)).toEqual([])
  return settled
}

/** The access tokens that the APIs of an operator have received. */
function tokensAtApis({ log }: Network): string[] {
  const authorizations = log
    .filter({ server: 'api-exposing-functions' })
    .map(({ headers }) => headers.authorization)
  return [...new Set(authorizations.map(String))]
}

const codesOf = (requests: readonly LogEntry[]) => requests.map((entry) => formOf(entry).code)

describe('an honest and an evil authorization server', () => {
  test('R12: an honest code in a flow that began at the evil server reaches no token endpoint', async ({
    stage,
    evil,
    page,
  }) => {
    const outcome = await mixUp(stage, evil, page)
    expect(outcome.error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(tokenRequestsOf(evil)).toEqual([])
  })

  test('R12: nor where neither server says its name in the response', async ({
    stage,
    evil,
    page,
  }) => {
    await changeMetadata(evil, (metadata) => {
      metadata.authorization_response_iss_parameter_supported = false
    })
    stage.network.faults.add({ path: '/auth', action: { type: 'issuer', issuer: null } })
    const outcome = await mixUp(stage, evil, page)
    expect(authorizationResponses(stage).at(-1)).not.toContain('iss=')
    expect(outcome.error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(tokenRequestsOf(evil)).toEqual([])
  })

  test('X05, X06: two flows at two servers at once, answered in the other order', async ({
    stage,
    evil,
    page,
    second,
  }) => {
    const secondPage = await openPage(stage.browser, second.origin)
    await gesture(page)
    const honest = call<Grant>(page, 'northbound_connect', stage.wish())
    await pageAt(stage.browser, stage.network.issuer)
    await gesture(secondPage)
    const crossed = call<Grant>(secondPage, 'northbound_connect', evilWish(evil))
    await pageAt(stage.browser, evil.issuer)
    await signIn({ ...stage, network: evil })
    expect((await crossed).result).toMatchObject({ issuer: evil.issuer })
    await signIn(stage)
    expect((await honest).result).toMatchObject({ issuer: stage.network.issuer })

    const evilCodes = codesOf(tokenRequestsOf(evil))
    expect(evilCodes).toHaveLength(1)
    expect(codesOf(tokenRequests(stage))).not.toContain(evilCodes[0])
    const grantsOf = async (at: Page) =>
      (await call<Grant[]>(at, 'northbound_getGrants')).result?.map(({ issuer }) => issuer)
    expect(await grantsOf(page)).toEqual([stage.network.issuer])
    expect(await grantsOf(secondPage)).toEqual([evil.issuer])
  })

  test('D14, C01: the tokens of one server go to its own APIs alone', async ({
    stage,
    evil,
    page,
    granted,
  }) => {
    // The origin has a grant of each operator.
    const { result } = await connectQuickly({ ...stage, network: evil }, page, evilWish(evil))
    const evilGrant = result as Grant
    expect(evilGrant.issuer).toBe(evil.issuer)
    for (const { grantId, apis } of [granted, evilGrant]) {
      const params = { url: subscriptionsUrl({ apis }), grantId }
      const answer = await call<FetchResult>(page, 'northbound_fetch', params)
      expect(answer.result?.status).toBe(200)
    }
    const own = [tokensAtApis(stage.network), tokensAtApis(evil)]
    expect(own.map(({ length }) => length)).toEqual([1, 1])
    expect(own[0]).not.toEqual(own[1])

    for (const [one, another] of [
      [granted, evilGrant],
      [evilGrant, granted],
    ] as const) {
      const params = { url: subscriptionsUrl(another), grantId: one.grantId }
      expect((await call(page, 'northbound_fetch', params)).error).toMatchObject({
        code: ERROR_CODE.noGrant,
      })
      // Without `grantId` the broker selects the grant by the URL.
      await call(page, 'northbound_fetch', { url: subscriptionsUrl(another) })
    }
    expect([tokensAtApis(stage.network), tokensAtApis(evil)]).toEqual(own)
  })
})
