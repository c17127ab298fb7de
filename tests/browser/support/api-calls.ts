/** Makes calls of the demo network's APIs that succeed with the grant of most tests. */

import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import type { FetchResult, Grant } from '../../../shared/messages/page-api.ts'
import { call } from './stage.ts'

/** URL of the application's list of QoS sessions, for a GET. */
export const subscriptionsUrl = ({ apis }: Pick<Grant, 'apis'>): string =>
  `${apis[0]?.resource}/cloud-gaming/subscriptions`

/** Expects that the broker serves a page with a grant, up to the response of the API. */
export async function expectServed(page: Page, grant: Grant): Promise<void> {
  const url = subscriptionsUrl(grant)
  expect((await call<FetchResult>(page, 'northbound_fetch', { url })).result?.status).toBe(200)
}
