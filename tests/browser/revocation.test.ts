/** What was granted can be taken back: in the network, in the popup, by the page. The page hears of it. */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { until } from './pages.ts'
import {
  answerConsent,
  BROWSERS,
  CLIENT_ID,
  call,
  openScreen,
  type Stage,
  signIn,
  startStage,
} from './stage.ts'

interface Told {
  event: string
  payload: unknown
}

describe.each(BROWSERS)('in %s, a grant that is taken back', (name) => {
  let stage: Stage
  let page: Page
  let grantId: string
  let signedIn = false

  beforeAll(async () => {
    stage = await startStage(name)
  })
  afterAll(() => stage?.close())

  function capifWish() {
    const operator = stage.network.operatorProfiles.find(({ profile }) => profile === 'capif')
    const [api] = operator?.apis ?? []
    return {
      issuer: operator?.issuer ?? '',
      apis: [{ resource: api?.resource ?? '', scope: api?.scopes[0]?.scope ?? '' }],
    }
  }

  beforeEach(async () => {
    page = await stage.open()
    await page.evaluate(async () => {
      const { provider } = (await window.broker()) as {
        provider: { on(event: string, listener: (payload: unknown) => void): void }
      }
      Object.assign(window, { told: [] })
      for (const event of ['grantRevoked', 'grantsChanged']) {
        provider.on(event, (payload) =>
          (window as unknown as { told: Told[] }).told.push({ event, payload }),
        )
      }
    })
    const outcome = call<Grant>(page, 'northbound_connect', capifWish())
    await answerConsent(stage, 'allow')
    // From the second time on the operator knows the user and has the authorization on record.
    if (!signedIn) await signIn(stage)
    signedIn = true
    grantId = (await outcome).result?.grantId ?? ''
    expect(grantId).not.toBe('')
  })

  const told = () => page.evaluate(() => (window as unknown as { told: Told[] }).told)
  const hearing = (by: string) =>
    until('the page to hear of it', async () =>
      (await told()).find(
        ({ event, payload }) => event === 'grantRevoked' && (payload as { by: string }).by === by,
      ),
    )

  async function expectNothingLeft(): Promise<void> {
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const url = `${capifWish().apis[0]?.resource}/x/subscriptions`
    expect((await call(page, 'northbound_fetch', { url })).error).toMatchObject({
      code: ERROR_CODE.noGrant,
    })
    await page.close()
  }

  test('in the popup: the page hears that the user did it', async () => {
    const popup = await openScreen(stage)
    await popup.waitForSelector('button')
    await popup.evaluate(() => {
      const buttons = [...document.querySelectorAll('button')]
      buttons
        .find(({ textContent }) => /disconnect|revoke|remove/i.test(textContent ?? ''))
        ?.click()
    })
    expect(await hearing('user')).toMatchObject({ payload: { grantId, by: 'user' } })
    await popup.close()
    await expectNothingLeft()
  })

  test('TS 29.222 SecurityNotification: in the resource owner function, with its cause', async () => {
    const account = await stage.browser.newPage()
    await account.goto(`${new URL(stage.network.issuer).origin}/account`)
    const [subscriber] = stage.network.subscribers.all
    if (await account.$('form[data-form=password]')) {
      await account.type('[name=phone_number]', subscriber?.phoneNumber ?? '')
      await account.type('[name=password]', subscriber?.password ?? '')
      await account.click('form[data-form=password] [type=submit]')
    }
    const form = `form[data-form="revoke ${CLIENT_ID} ${capifWish().issuer}"]`
    await account.waitForSelector(form)
    await account.click(`${form} [type=submit]`)
    expect(await hearing('network')).toMatchObject({
      payload: { grantId, by: 'network', cause: 'AUTHORIZATION_ISSUE' },
    })
    await account.close()
    await expectNothingLeft()
  })
})
