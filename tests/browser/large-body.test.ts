/**
 * A body that is larger than one message: it travels in parts while it comes in. A page gets all of it
 * or an error, whatever happens on the way.
 *
 * Seen to fail when the parts are put together in another order, when a body that breaks off counts as
 * whole, and when the parts of a stopped worker are kept (L01).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FaultAction } from '../../demo-site/network/index.ts'
import type { BrowserName } from '../../scripts/browsers.ts'
import type { FetchResult, Provider } from '../../shared/messages/page-api.ts'
import { until } from './support/pages.ts'
import { BROWSERS, call, connect, type Stage, startStage } from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

const SUBSCRIPTIONS = '/3gpp-as-session-with-qos/v1/cloud-gaming/subscriptions'
const LETTERS = ['a', 'b', 'c', 'd', 'e']
/** Below the 256 KiB that the API takes. */
const NOTE_BYTES = 250_000
const DESTINATION = 'https://unused.invalid/'

interface Filled {
  stage: Stage
  page: Page
  url: string
}

/** A page whose application has so many subscriptions that their list is large. */
async function startFilled(name: BrowserName): Promise<Filled> {
  const stage = await startStage(name)
  const page = await stage.open()
  expect((await connect(stage, page)).error).toBeUndefined()
  const url = stage.network.apisOrigin + SUBSCRIPTIONS
  const headers = { 'content-type': 'application/json' }
  for (const letter of LETTERS) {
    const body = JSON.stringify({
      notificationDestination: DESTINATION + letter.repeat(NOTE_BYTES),
      qosReference: 'QOS_L',
      flowInfo: [{ flowId: 1, flowDescriptions: ['permit in ip from any to any'] }],
    })
    const params = { url, method: 'POST', headers, body }
    const made = await call<FetchResult>(page, 'northbound_fetch', params)
    expect(made.result?.status).toBe(201)
  }
  return { stage, page, url }
}

/** What the page got of each subscription, or the error; with `abortAfterMs` it gives up. */
function notes({ page, url }: Filled, abortAfterMs?: number) {
  return page.evaluate(
    async (address, prefix, after) => {
      const { provider } = window.detail as { provider: Provider }
      const controller = new AbortController()
      if (after !== undefined) setTimeout(() => controller.abort(), after)
      try {
        const { body } = (await provider.request({
          method: 'northbound_fetch',
          params: { url: address },
          signal: controller.signal,
        })) as FetchResult
        const list = JSON.parse(new TextDecoder().decode(body)) as Record<string, string>[]
        return list
          .map(({ notificationDestination = '' }) => {
            const note = notificationDestination.slice(prefix.length)
            return [...new Set(note)].join('') + note.length
          })
          .sort()
      } catch (error) {
        const { name, code } = error as { name: string; code?: number }
        return `${name} ${code}`
      }
    },
    url,
    DESTINATION,
    abortAfterMs,
  )
}

const WHOLE = LETTERS.map((letter) => letter + NOTE_BYTES)

const onceCalled = ({ stage }: Filled, action: FaultAction) =>
  stage.network.faults.add({
    server: 'api-exposing-functions',
    method: 'GET',
    path: SUBSCRIPTIONS,
    action,
    times: 1,
  })

describe.each(BROWSERS)('in %s, a large body', (name) => {
  let filled: Filled
  beforeAll(async () => {
    filled = await startFilled(name)
  })
  afterAll(() => filled?.stage.close())

  test('arrives whole, each byte in its place', async () => {
    expect(await notes(filled)).toEqual(WHOLE)
  })

  test('does not mix with others that come at the same time', async () => {
    const all = await Promise.all([notes(filled), notes(filled), notes(filled)])
    expect(all).toEqual([WHOLE, WHOLE, WHOLE])
  })

  test('breaks off in the middle: an error, and nothing of it reaches the page', async () => {
    onceCalled(filled, { type: 'drop', when: 'mid-body' })
    expect(await notes(filled)).toBe('ProviderError 4901')
    expect(await notes(filled)).toEqual(WHOLE)
  })

  test('is given up in the middle, and the next one is whole', async () => {
    onceCalled(filled, { type: 'drip', bytesPerSecond: 500_000 })
    expect(await notes(filled, 1_500)).toMatch(/^AbortError/)
    expect(await notes(filled)).toEqual(WHOLE)
  })
})

describe.each(BROWSERS)('in %s, a large body whose worker is stopped in the middle', (name) => {
  let filled: Filled
  beforeAll(async () => {
    filled = await startFilled(name)
  })
  afterAll(() => filled?.stage.close())

  test('L01: is asked for once more, and arrives whole', async () => {
    const { stop } = await workerSwitch(filled.stage)
    await filled.page.bringToFront()
    const { log } = filled.stage.network
    const calls = () => log.filter({ server: 'api-exposing-functions', method: 'GET' }).length
    onceCalled(filled, { type: 'drip', bytesPerSecond: 500_000 })
    const outcome = notes(filled)
    await until('the call', async () => calls() === 1)
    // Parts are under way by then.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await stop()
    expect(await outcome).toEqual(WHOLE)
    expect(calls()).toBe(2)
  })
})
