/**
 * Attack: a script in the page uses a click of the user to widen what an operator has waived the consent for
 * (`requireConsent: false`). The broker's consent window opens, and nothing is sent before the user has
 * answered it.
 *
 * Seen to fail when `decideConsent` in `extension/background/authorization/consent-waiver.ts` approves each
 * request of an application with `requireConsent: false`; the second test also when it compares the request with
 * the waiver alone, and the first when a denial leaves the waiver as it is.
 */

import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import type { ConnectParams, Grant } from '../../shared/messages/page-api.ts'
import { test as base } from '../browser/fixtures.ts'
import { connectFurther, signInBeforehand } from '../browser/support/known-subscriber.ts'
import { gone } from '../browser/support/pages.ts'
import {
  answerConsent,
  authorizationRequests,
  call,
  forgetRefusals,
  gesture,
  type Stage,
} from '../browser/support/stage.ts'

const PURPOSE = 'dpv:RequestedServiceProvision'

/** The operator waives the consent for calls by the broker to its first API, without a purpose. */
const test = base.extend('options', {
  waiver: ({ apis: [api] }) => ({
    apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
  }),
})

/** Requests more than the waiver covers, by the click of a user, and expects a question before all else. */
async function expectQuestion(stage: Stage, page: Page, wish: ConnectParams): Promise<void> {
  await gesture(page)
  stage.network.log.clear()
  const connecting = call<Grant>(page, 'northbound_connect', wish)
  await answerConsent(stage, 'deny')
  expect((await connecting).error).toMatchObject({ code: 4001 })
  expect(authorizationRequests(stage)).toEqual([])
  await gone(stage.browser, '/ui/consent/')
  await forgetRefusals(stage)
}

function listWider(stage: Stage): ConnectParams[] {
  const { apis } = stage.wish()
  const all = (stage.network.operatorProfiles[0]?.apis ?? []).map(({ resource, scopes }) => ({
    resource,
    scope: scopes[0]?.scope ?? '',
  }))
  return [
    stage.wish({ mode: 'token' }),
    stage.wish({ apis: all }),
    stage.wish({ apis: apis.map((api) => ({ ...api, purpose: PURPOSE })) }),
  ]
}

test('A03: more than the operator declares is asked, before the first grant and beside it', async ({
  stage,
  page,
}) => {
  const wider = listWider(stage)
  for (const wish of wider) await expectQuestion(stage, page, wish)
  // The waiver has ended with the first no of the user.
  await expectQuestion(stage, page, stage.wish())
  await signInBeforehand(stage)
  const { result: granted } = await connectFurther(stage, page, stage.wish())
  expect(granted).toMatchObject({ mode: 'fetch', apis: stage.wish().apis })
  for (const wish of wider.slice(0, 1)) await expectQuestion(stage, page, wish)
  expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([granted])
})

const generousTest = base.extend('options', {})

generousTest(
  'A03: more than the first grant is asked, although the operator has declared that too',
  async ({ stage, page, granted }) => {
    for (const wish of listWider(stage)) await expectQuestion(stage, page, wish)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([granted])
  },
)
