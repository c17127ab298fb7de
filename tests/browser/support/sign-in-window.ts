/** Opens a flow that waits at the operator's sign-in page, and forges responses to it. */

import type { Page } from 'puppeteer-core'
import type { Grant } from '../../../shared/messages/page-api.ts'
import { pagesAt } from './pages.ts'
import {
  answerConsent,
  authorizationRequests,
  type Called,
  call,
  type Stage,
  signInPage,
} from './stage.ts'

export interface Begun {
  outcome: Promise<Called<Grant>>
  operator: Page
}

/** Runs a flow up to the operator's sign-in page. */
export async function beginSignIn(stage: Stage, page: Page): Promise<Begun> {
  const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
  if (stage.requireConsent) await answerConsent(stage, 'allow')
  const operator = await signInPage(stage)
  // A navigation away from a page that still loads may be cancelled by the load.
  await operator.waitForSelector('form')
  return { outcome, operator }
}

/** Acts as a user who accepts every consent page of the operator, until the user leaves. */
export function allowAll({ browser, network }: Stage): { leave(): Promise<void> } {
  let hasLeft = false
  async function allowWhereAsked(): Promise<void> {
    for (const operator of await pagesAt(browser, network.issuer)) {
      await operator.$('[data-form=consent] [value=allow]').then((button) => button?.click())
    }
  }
  async function answer(): Promise<void> {
    while (!hasLeft) {
      // A window may navigate or close while it is inspected.
      await allowWhereAsked().catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const answering = answer()
  return {
    leave() {
      hasLeft = true
      return answering
    },
  }
}

/** Builds a response to the request of the open flow, with a forged code. */
export async function forgeResponse(
  stage: Stage,
  at: Page,
  change: (response: URLSearchParams, redirect: URL) => void,
): Promise<void> {
  const [request] = authorizationRequests(stage)
  const url = new URL(String(request?.query.redirect_uri))
  url.searchParams.set('code', 'forged')
  url.searchParams.set('state', String(request?.query.state))
  url.searchParams.set('iss', stage.network.issuer)
  change(url.searchParams, url)
  await at.evaluate((address) => location.assign(address), url.href).catch(() => {})
}
