/**
 * Tests a body that is larger than a single message. The broker sends the body in chunks while it receives
 * it. The page gets the complete body or an error, whatever happens during the transfer.
 *
 * Seen to fail when the chunks are reassembled in another order, when a truncated body counts as complete,
 * and when the chunks of a stopped worker are kept (L01).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FetchResult, Provider } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { watchAnswer } from './support/answer-progress.ts'
import { subscriptionsUrl } from './support/api-calls.ts'
import { until } from './support/pages.ts'
import { addApiFault, apiRequests, SUBSCRIPTIONS, subscription } from './support/subscriptions.ts'

const LETTERS = ['a', 'b', 'c', 'd', 'e']
/** Smaller than the 256 KiB that the API accepts. */
const NOTE_BYTES = 250_000
const DESTINATION = 'https://unused.invalid/'
/** Half of the list: the broker has sent a part of 512 KiB by then. */
const MIDDLE_BYTES = 600_000

const COMPLETE = LETTERS.map((letter) => letter + NOTE_BYTES)
const HELD = { type: 'hold', before: 'second-half' } as const

/** Adds so many subscriptions to the application that their list is large. */
async function addSubscriptions(page: Page, url: string): Promise<void> {
  const statuses = await page.evaluate(
    async (address, template, letters, bytes) => {
      const outcomes = letters.map((letter) =>
        window.call('northbound_fetch', {
          url: address,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: template.replace('NOTE', letter.repeat(bytes)),
        }),
      )
      return ((await Promise.all(outcomes)) as { result?: FetchResult }[]).map(
        ({ result }) => result?.status,
      )
    },
    url,
    subscription('NOTE'),
    LETTERS,
    NOTE_BYTES,
  )
  expect(statuses).toEqual(LETTERS.map(() => 201))
}

/**
 * Runs a call and returns the list of subscriptions that the page gets, or the error. `window.abort` aborts
 * the latest call.
 */
function readNotes(page: Page, url: string): Promise<string[] | string> {
  return page.evaluate(
    async (address, prefix) => {
      const { provider } = window.detail as { provider: Provider }
      const controller = new AbortController()
      Object.assign(window, { abort: () => controller.abort() })
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
  )
}

/** A page that reads a large list. The log contains only the requests after the list was made. */
const test = base.extend('readList', async ({ stage, page, granted }) => {
  const url = subscriptionsUrl(granted)
  await addSubscriptions(page, url)
  stage.network.log.clear()
  return () => readNotes(page, url)
})

/** Starts a call and stops its response in the middle of the body. */
async function beginReading(readList: () => Promise<string[] | string>) {
  const sentBytes = watchAnswer('GET', SUBSCRIPTIONS)
  const outcome = readList()
  await until('the middle of the body', async () => sentBytes() >= MIDDLE_BYTES)
  return { outcome }
}

describe('a large body', () => {
  test('arrives complete, each byte in its place', async ({ readList }) => {
    expect(await readList()).toEqual(COMPLETE)
  })

  test('does not mix with others that come at the same time', async ({ readList }) => {
    const all = await Promise.all([readList(), readList(), readList()])
    expect(all).toEqual([COMPLETE, COMPLETE, COMPLETE])
  })

  test('breaks off in the middle: an error, and nothing of it reaches the page', async ({
    stage,
    readList,
  }) => {
    addApiFault(stage, { type: 'drop', when: 'mid-body' }, 1)
    expect(await readList()).toBe('ProviderError 4901')
    expect(await readList()).toEqual(COMPLETE)
  })

  test('is aborted in the middle, and the next one is complete', async ({
    stage,
    page,
    readList,
  }) => {
    addApiFault(stage, HELD, 1)
    const { outcome } = await beginReading(readList)
    await page.evaluate(() => (window as unknown as { abort(): void }).abort())
    expect(await outcome).toMatch(/^AbortError/)
    expect(await readList()).toEqual(COMPLETE)
  })
})

describe('a large body whose worker is stopped in the middle', () => {
  test('L01: is requested once more, and arrives complete', async ({
    stage,
    page,
    readList,
    worker,
  }) => {
    await page.bringToFront()
    addApiFault(stage, HELD, 1)
    const { outcome } = await beginReading(readList)
    await worker.stop()
    expect(await outcome).toEqual(COMPLETE)
    expect(apiRequests(stage)).toHaveLength(2)
  })
})
