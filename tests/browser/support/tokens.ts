/** Selects token requests of the broker, and makes a grant need its next token. */

import type { Page } from 'puppeteer-core'
import type { LogEntry } from '../../../demo-site/network/index.ts'
import type { AccessToken, GetAccessTokenParams } from '../../../shared/messages/page-api.ts'
import { until } from './pages.ts'
import { type Called, call, formOf, type Stage, tokenRequests } from './stage.ts'

/** A longer validity than any token of the network has. A call with this value always renews the token. */
export const RENEWED = { minValiditySeconds: 3_600 }

export const getAccessToken = (
  page: Page,
  params: GetAccessTokenParams,
): Promise<Called<AccessToken>> => call(page, 'northbound_getAccessToken', params)

/** The token requests with a refresh token. */
export const refreshRequests = (stage: Stage): LogEntry[] =>
  tokenRequests(stage).filter((entry) => formOf(entry).grant_type === 'refresh_token')

export const refreshTokensSent = (stage: Stage): unknown[] =>
  refreshRequests(stage).map((entry) => formOf(entry).refresh_token)

/**
 * Makes the access token of a grant expire: a refresh gives the broker an access token for one second, whose end this
 * function waits for. The refresh token is unchanged. The network's log is empty afterwards.
 */
export async function expireAccessToken(stage: Stage, page: Page, grantId: string): Promise<void> {
  const { faults, log } = stage.network
  faults.add({
    path: '/token',
    times: 1,
    action: {
      type: 'status',
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"access_token":"expired","token_type":"Bearer","expires_in":1}',
    },
  })
  const { result } = await getAccessToken(page, { grantId, ...RENEWED })
  if (result?.accessToken !== 'expired') throw new Error('no access token that expires')
  await until('the expiry', async () => Date.now() > result.expiresAt)
  log.clear()
}
