/**
 * Tests an API that requires another authentication of the user (RFC 9470). The broker requests it once, with
 * the parameters that the API named, and never in a loop.
 *
 * Seen to fail when `meetDemand` in `extension/background/methods/fetch.ts` passes on neither `acrValues` nor
 * `maxAge`.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { ProfileName } from '../../shared/messages/operator-profile.ts'
import { ERROR_CODE, type FetchResult } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { connectQuickly } from './support/known-subscriber.ts'
import { wishFor } from './support/operator-wish.ts'
import { gone } from './support/pages.ts'
import { submitPassword } from './support/password-form.ts'
import { authorizationRequests, call, gesture, type Stage, signInPage } from './support/stage.ts'

describe('an API that requires another authentication', () => {
  const test = base.extend('options', {
    operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
  })

  /** Calls an API that sends this number of challenges, with a user gesture in the page. */
  async function callChallenged(
    stage: Stage,
    page: Page,
    profile: ProfileName,
    parameters: string,
    times?: number,
  ) {
    const wish = wishFor(stage, profile)
    expect((await connectQuickly(stage, page, wish)).error).toBeUndefined()
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
    const url = `${wish.apis[0]?.resource}/unknown`
    return {
      outcome: call<FetchResult>(page, 'northbound_fetch', { url, interactive: 'ifNeeded' }),
    }
  }

  /** Completes the authentication only: the operator has the authorization on record. */
  async function signInAgain(stage: Stage): Promise<void> {
    await submitPassword(await signInPage(stage), stage.subscriber)
  }

  const apiCalls = ({ network }: Stage) => network.log.filter({ server: 'api-exposing-functions' })
  const asked = (stage: Stage) => authorizationRequests(stage).map(({ query }) => query)

  test('C07: the user signs in again as the API wants it, and the call is made again', async ({
    stage,
    page,
  }) => {
    const { outcome } = await callChallenged(stage, page, 'camara', 'max_age="0"', 1)
    await signInAgain(stage)
    expect((await outcome).result?.status).toBe(404)
    expect(asked(stage)).toEqual([expect.objectContaining({ max_age: '0' })])
    const [before, after] = apiCalls(stage).map(({ headers }) => headers.authorization)
    expect(after).not.toBe(before)
    expect(apiCalls(stage)).toHaveLength(2)
  })

  test('C07: an API that is never content gets the user asked once', async ({ stage, page }) => {
    const { outcome } = await callChallenged(stage, page, 'camara', 'max_age="0"')
    await signInAgain(stage)
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.insufficientAuthorization,
      data: { error: 'insufficient_user_authentication', httpStatus: 401 },
    })
    expect(asked(stage)).toHaveLength(1)
    expect(apiCalls(stage)).toHaveLength(2)
    await gone(stage.browser, stage.network.issuer)
  })

  test('C07: acr_values go along; a server that wants OpenID Connect for them says so to the page', async ({
    stage,
    page,
  }) => {
    const { outcome } = await callChallenged(
      stage,
      page,
      'oauth',
      'acr_values="urn:example:strong"',
    )
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.authorizationServerError,
      data: { error: 'invalid_request' },
    })
    expect(asked(stage)).toEqual([expect.objectContaining({ acr_values: 'urn:example:strong' })])
    expect(apiCalls(stage)).toHaveLength(1)
  })

  test('C07: a CAMARA operator is asked with max_age alone', async ({ stage, page }) => {
    const parameters = 'acr_values="strong", max_age="0"'
    const { outcome } = await callChallenged(stage, page, 'camara', parameters, 1)
    await signInAgain(stage)
    expect((await outcome).result?.status).toBe(404)
    const [query, ...more] = asked(stage)
    expect(more).toEqual([])
    expect(query).toMatchObject({ max_age: '0' })
    expect(query).not.toHaveProperty('acr_values')
  })
})
