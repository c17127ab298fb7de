/**
 * Tests for how long the metadata of an operator serve flows, and when they are requested again. The metadata come
 * from a double of `fetch`.
 *
 * Seen to fail when metadata without a stated freshness are kept, when those of a request ahead serve two flows, when
 * an entry of another profile is used, when a failed flow or a definite refusal leaves the entry, and when there is no
 * cache at all.
 */

import 'fake-indexeddb/auto'
import fake, { storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { giveUpServer } from '../../../../extension/background/clients/client-retry.ts'
import {
  createEntry,
  forgetMetadata,
  isUsable,
} from '../../../../extension/background/operators/metadata-cache.ts'
import {
  discoverAhead,
  discoverServer,
} from '../../../../extension/background/operators/operator-discovery.ts'
import {
  LONGEST_METADATA_LIFETIME_MS,
  METADATA_AHEAD_LIFETIME_MS,
} from '../../../../extension/limits.ts'
import { NorthkeyError } from '../../../../shared/core/index.ts'
import { ISSUER, METADATA, OPERATOR } from '../../support/operator.ts'

const MAX_AGE = { 'cache-control': 'max-age=600' }

let requests: number
let headers: Record<string, string>

beforeEach(async () => {
  requests = 0
  headers = {}
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.stubGlobal('fetch', async () => {
    requests += 1
    return Response.json(METADATA, { headers })
  })
})
afterEach(async () => {
  await forgetMetadata(ISSUER)
  await storage.session.clear()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const passTime = (ms: number) => void vi.setSystemTime(Date.now() + ms)

/** Discovers for some flows, one after the other. @returns The requests of all of them. */
async function countRequests(flows: number): Promise<number> {
  for (let flow = 0; flow < flows; flow++) expect(await discoverServer(OPERATOR)).toEqual(METADATA)
  return requests
}

describe('W01: the metadata of an operator', () => {
  test('are requested for each flow where the server says nothing of their freshness', async () => {
    expect(await countRequests(3)).toBe(3)
  })

  test('are requested for each flow where the server forbids to keep them', async () => {
    headers = { 'cache-control': 'no-store, max-age=600' }
    expect(await countRequests(2)).toBe(2)
  })

  test('serve all flows while the server calls them fresh', async () => {
    headers = MAX_AGE
    expect(await countRequests(3)).toBe(1)
    passTime(599_000)
    expect(await countRequests(1)).toBe(1)
    passTime(1_000)
    expect(await countRequests(1)).toBe(2)
  })

  test('are requested again after an hour, whatever the server says', async () => {
    headers = { 'cache-control': 'max-age=31536000, immutable' }
    await countRequests(1)
    passTime(LONGEST_METADATA_LIFETIME_MS - 1)
    expect(await countRequests(1)).toBe(1)
    passTime(1)
    expect(await countRequests(1)).toBe(2)
  })

  test('are requested again after a flow that failed with them', async () => {
    headers = MAX_AGE
    await countRequests(1)
    await forgetMetadata(ISSUER)
    expect(await countRequests(1)).toBe(2)
  })

  test('H11: are requested again after a definite refusal', async () => {
    headers = MAX_AGE
    await countRequests(1)
    const refusal = new NorthkeyError('authorization_server_error', 'refused', { httpStatus: 410 })
    const client = { metadata: METADATA, clientId: 'client' }
    await giveUpServer(OPERATOR, 'https://app.example', client, refusal)
    expect(await countRequests(1)).toBe(2)
  })

  test('are requested again when the profile has changed', async () => {
    headers = MAX_AGE
    await countRequests(1)
    await discoverServer({ ...OPERATOR, name: 'Another name' })
    expect(requests).toBe(2)
  })

  test('that were requested ahead serve one flow, where the server says nothing', async () => {
    await discoverAhead(OPERATOR)
    expect(await countRequests(1)).toBe(1)
    expect(await countRequests(1)).toBe(2)
  })

  test('that were requested ahead serve it some minutes long', async () => {
    await discoverAhead(OPERATOR)
    passTime(METADATA_AHEAD_LIFETIME_MS)
    expect(await countRequests(1)).toBe(2)
  })

  test('that are kept are not requested ahead', async () => {
    headers = MAX_AGE
    await countRequests(1)
    await discoverAhead(OPERATOR)
    expect(requests).toBe(1)
  })

  test('are requested once where the flow begins while they are on their way', async () => {
    const ahead = discoverAhead(OPERATOR)
    expect(await countRequests(1)).toBe(1)
    await ahead
  })

  test('that could not be read ahead of a flow are requested by the flow', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('unreachable')))
    await discoverAhead(OPERATOR)
    await expect(discoverServer(OPERATOR)).rejects.toMatchObject({ code: 'network_error' })
  })
})

describe('W01: an entry', () => {
  const now = Date.now()

  test('is not made of metadata that may not be kept', () => {
    expect(createEntry(OPERATOR, METADATA, 0, false, now)).toBeUndefined()
  })

  test.each([
    ['at its beginning', 0, true],
    ['before its end', 59_999, true],
    ['at its end', 60_000, false],
    ['with a clock that was set back', -1, false],
  ])('is usable or not: %s', (_, passedMs, expected) => {
    const entry = createEntry(OPERATOR, METADATA, 60_000, false, now)
    expect(entry && isUsable(entry, OPERATOR, now + passedMs)).toBe(expected)
  })
})
