/**
 * Tests that records have a single writer: the worker, of which at most one runs. Pages and the broker's own
 * screens send messages to the worker, and a profile is open in a single browser, so two contexts never write
 * the same record. The tests send concurrent changes from several pages: every change is stored once.
 *
 * Seen to fail when `deleteGrant` in `extension/background/grants/grants.ts` reads all records, removes a
 * record and writes the others back (a grant that was revoked meanwhile returns, or a new grant is lost), and
 * when `record` in `log.ts` writes each entry of a count separately (calls are missing in the log).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { ConnectParams, FetchResult, Grant, Mode } from '../../shared/messages/page-api.ts'
import type { LogEntry } from '../../shared/messages/screen-channel.ts'
import { test } from './fixtures.ts'
import {
  connectFurther,
  connectQuickly,
  signInBeforehand,
  withoutRevocation,
} from './support/known-subscriber.ts'
import { askBackground } from './support/sites-stage.ts'
import { call, databaseText, openScreen, type Stage } from './support/stage.ts'

const CALLS_OF_A_TAB = 10
const PURPOSE = 'dpv:FraudPreventionAndDetection'

function wishFor(
  stage: Stage,
  indexes: number[],
  mode: Mode = 'fetch',
  purpose?: string,
): ConnectParams {
  const apis = stage.network.operatorProfiles[0]?.apis ?? []
  return stage.wish({
    mode,
    apis: indexes.map((index) => ({
      resource: apis[index]?.resource ?? '',
      scope: apis[index]?.scopes[0]?.scope ?? '',
      ...(purpose && { purpose }),
    })),
  })
}

describe('five tabs and the popup', () => {
  test('K11: grants given, used and revoked at once are there once each, and so are they in the log', async ({
    stage,
    page,
  }) => {
    const wish = (indexes: number[], mode?: Mode, purpose?: string) =>
      wishFor(stage, indexes, mode, purpose)
    async function grantFor(params: ConnectParams, connect = connectFurther): Promise<string> {
      return String((await connect(stage, page, params)).result?.grantId)
    }
    // The subscriber authorizes both APIs at the operator.
    await signInBeforehand(stage, wish([0, 1]))
    await withoutRevocation(stage)
    const popup = await openScreen(stage)
    const used = await grantFor(wish([0]), connectQuickly)
    const byPage = await grantFor(wish([0], 'token'))
    const byOtherPage = await grantFor(wish([1], 'token'))
    // A grant for calls by the broker is less than a grant in mode token: no question.
    const byUser = await grantFor(wish([1]), connectQuickly)
    const tabs = [await stage.open(), await stage.open(), await stage.open(), await stage.open()]
    await askBackground(popup, 'clearLog', {})
    stage.network.log.clear()

    const url = `${wish([0]).apis[0]?.resource}/cloud-gaming/subscriptions`
    const useIn = (tab: Page | undefined) =>
      tab?.evaluate(
        (params, times) =>
          Promise.all(Array.from({ length: times }, () => window.call('northbound_fetch', params))),
        { url, grantId: used },
        CALLS_OF_A_TAB,
      ) as Promise<{ result?: FetchResult }[]>
    const [given, revoked, other, , ...uses] = await Promise.all([
      connectFurther(stage, page, wish([1], 'fetch', PURPOSE)),
      call<object>(tabs[0] as Page, 'northbound_revoke', { grantId: byPage }),
      call<object>(tabs[1] as Page, 'northbound_revoke', { grantId: byOtherPage }),
      askBackground(popup, 'revokeGrant', { grantId: byUser }),
      useIn(tabs[2]),
      useIn(tabs[3]),
    ])
    expect([revoked.result, other.result]).toEqual(
      [byPage, byOtherPage].map((grantId) => ({ revoked: [grantId], pending: [] })),
    )
    expect(uses.flat().map(({ result }) => result?.status)).toEqual(Array(20).fill(200))

    const left = [used, given.result?.grantId].sort()
    for (const tab of [page, ...tabs]) {
      const { result } = await call<Grant[]>(tab, 'northbound_getGrants')
      expect(result?.map(({ grantId }) => grantId).sort()).toEqual(left)
    }
    const { grants = [], tokens } = await databaseText(popup)
    const known = [used, byPage, byOtherPage, byUser, String(given.result?.grantId)]
    expect(grants.flatMap((text) => known.filter((id) => text.includes(id))).sort()).toEqual(left)
    expect(tokens).toHaveLength(2)

    const entries = await askBackground<LogEntry[]>(popup, 'readLog', {})
    const counted = (event: LogEntry['event'], outcome: string) =>
      entries
        .filter((entry) => entry.event === event && entry.outcome === outcome)
        .reduce((sum, { times = 1 }) => sum + times, 0)
    expect(counted('grant', 'granted')).toBe(1)
    expect(counted('revocation', 'by page')).toBe(2)
    expect(counted('revocation', 'by user')).toBe(1)
    expect(counted('call', 'GET 200')).toBe(20)
    expect(
      stage.network.log.filter({ server: 'api-exposing-functions', method: 'GET' }),
    ).toHaveLength(20)
  })
})
