/**
 * An API that wants another authentication of the user (RFC 9470): asked for once, with what the API
 * named, and never in a circle.
 *
 * Seen to fail when `askAgain` in `extension/background/methods/fetch.ts` passes neither `acrValues` nor
 * `maxAge` on.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ProfileName } from '../../shared/messages/operator-profile.ts'
import { type ConnectParams, ERROR_CODE, type FetchResult } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { gone } from './support/pages.ts'
import {
  authorizationRequests,
  BROWSERS,
  call,
  connect,
  type Stage,
  signInPage,
  startStage,
} from './support/stage.ts'

describe.each(BROWSERS)('in %s, an API that wants another authentication', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name, {
      operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
    })
    page = await stage.open()
  })
  afterEach(async () => {
    stage.network.faults.clear()
    await call(page, 'northbound_revoke')
  })
  afterAll(() => stage?.close())

  /** What a page may ask of an operator, and a call that the grant allows. */
  function wishOf(profile: ProfileName): { wish: ConnectParams; url: string } {
    const operator = stage.network.operatorProfiles.find((one) => one.profile === profile)
    const [api] = operator?.apis ?? []
    const { resource = '', scopes: [first] = [], purposes } = api ?? {}
    const purpose = profile === 'camara' && { purpose: purposes?.[0] ?? '' }
    return {
      wish: {
        issuer: operator?.issuer ?? '',
        apis: [{ resource, scope: first?.scope ?? '', ...purpose }],
      },
      url: `${resource}/unknown`,
    }
  }

  /** A call to an API that challenges so many times, with the user in front of the page. */
  async function challenged(profile: ProfileName, parameters: string, times?: number) {
    const { wish, url } = wishOf(profile)
    await gesture(page)
    expect((await connect(stage, page, wish)).error).toBeUndefined()
    stage.network.log.clear()
    const headers = {
      'www-authenticate': `Bearer error="insufficient_user_authentication", ${parameters}`,
    }
    stage.network.faults.add({
      server: 'api-exposing-functions',
      action: { type: 'status', status: 401, headers },
      ...(times !== undefined && { times }),
    })
    await gesture(page)
    const outcome = call<FetchResult>(page, 'northbound_fetch', { url, interactive: 'ifNeeded' })
    return { outcome }
  }

  const apiCalls = () => stage.network.log.filter({ server: 'api-exposing-functions' })
  const asked = () => authorizationRequests(stage).map(({ query }) => query)

  /** The authorization is on record; it is the authentication that is asked for. */
  async function signInAgain(): Promise<void> {
    const [subscriber] = stage.network.subscribers.all
    const operator = await signInPage(stage)
    await operator.waitForSelector('[data-form=password]')
    await operator.$eval('[name=phone_number]', (field) => {
      ;(field as HTMLInputElement).value = ''
    })
    await operator.type('[name=phone_number]', subscriber?.phoneNumber ?? '')
    await operator.type('[name=password]', subscriber?.password ?? '')
    await operator.click('[data-form=password] [type=submit]')
  }

  test('C07: the user signs in again as the API wants it, and the call is made again', async () => {
    const { outcome } = await challenged('camara', 'max_age="0"', 1)
    await signInAgain()
    expect((await outcome).result?.status).toBe(404)
    expect(asked()).toEqual([expect.objectContaining({ max_age: '0' })])
    const [before, after] = apiCalls().map(({ headers }) => headers.authorization)
    expect(after).not.toBe(before)
    expect(apiCalls()).toHaveLength(2)
  })

  test('C07: an API that is never content gets the user asked once', async () => {
    const { outcome } = await challenged('camara', 'max_age="0"')
    await signInAgain()
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.insufficientAuthorization,
      data: { error: 'insufficient_user_authentication', httpStatus: 401 },
    })
    expect(asked()).toHaveLength(1)
    expect(apiCalls()).toHaveLength(2)
    await gone(stage.browser, stage.network.issuer)
  })

  test('C07: acr_values go along; a server that wants OpenID Connect for them says so to the page', async () => {
    const { outcome } = await challenged('oauth', 'acr_values="urn:example:strong"')
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.authorizationServerError,
      data: { error: 'invalid_request' },
    })
    expect(asked()).toEqual([expect.objectContaining({ acr_values: 'urn:example:strong' })])
    expect(apiCalls()).toHaveLength(1)
  })

  test('C07: a CAMARA operator is asked with max_age alone', async () => {
    const { outcome } = await challenged('camara', 'acr_values="strong", max_age="0"', 1)
    await signInAgain()
    expect((await outcome).result?.status).toBe(404)
    const [query, ...more] = asked()
    expect(more).toEqual([])
    expect(query).toMatchObject({ max_age: '0' })
    expect(query).not.toHaveProperty('acr_values')
  })
})
