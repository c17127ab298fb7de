/**
 * Octets and members of the messages of a page that bypasses the provider. A message may contain one object in
 * many places: 2 kB unfold to 100 million members, and 200 kB to more than any worker can visit.
 *
 * Seen to fail (the process hangs, or runs out of memory) when the walk over the parameters has no limit of
 * members, and when it lists the members of typed arrays; when method and key are not counted; and when small calls share
 * the octets of large ones.
 */

import 'fake-indexeddb/auto'
import { describe, expect, test, vi } from 'vitest'
import type { UnverifiedPageRequest } from '../../../../shared/messages/broker-channel.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

const { MAX_OCTETS_OF_ORIGIN, takeOctets } = await import(
  '../../../../extension/background/page/message-octets.ts'
)
const { handlePageRequest } = await import('../../../../extension/background/page/page-router.ts')

let page = 0
/** On loopback, where every site is on. */
const newOrigin = () => `http://page-${++page}.localhost`

const requestOf = (params: unknown, more: Partial<UnverifiedPageRequest> = {}) => ({
  id: 1,
  attempt: 0,
  method: 'northbound_fetch',
  params,
  userActivation: false,
  visible: true,
  ...more,
})

/** An array that contains the same array in each place, four levels deep. */
function unfolding(places: number): unknown {
  let value: unknown = new Array(places).fill(0)
  for (let level = 1; level < 4; level += 1) value = new Array(places).fill(value)
  return value
}

describe('parameters with too many members', () => {
  const { buffer } = new Uint8Array(1_000_000)
  test.each<[name: string, params: unknown]>([
    ['one array in many places', { url: unfolding(100) }],
    ['one array in more places', unfolding(10_000)],
    ['a long array', new Array(5_000_000).fill(1)],
    ['a long array without values', { apis: new Array(50_000_000) }],
    ['many names', Object.fromEntries([...new Array(1_001).keys()].entries())],
    ['many values in several arrays', new Array(40).fill(new Array(40).fill(0))],
  ])('%s: an error, soon', async (_, params) => {
    const caller = { origin: newOrigin(), tabId: 1, documentId: 'document' }
    const before = performance.now()
    const outcome = await handlePageRequest(caller, '1', requestOf(params), () => {})
    expect(outcome).toMatchObject({ error: { code: -32602, message: /at most 1000 members/ } })
    expect(performance.now() - before).toBeLessThan(1_000)
  })

  test.each<[name: string, params: unknown]>([
    ['a typed array', new Uint32Array(buffer)],
    ['the octets of a buffer', { body: new Uint8Array(buffer) }],
    ['a String object', { body: Object('x'.repeat(1_000_000)) }],
  ])('%s: no member is listed, and the check of the parameters rejects it', async (_, params) => {
    const caller = { origin: newOrigin(), tabId: 1, documentId: 'document' }
    const outcome = await handlePageRequest(caller, '1', requestOf(params), () => {})
    expect(outcome).toMatchObject({ error: { code: -32602, message: /expected plain data/ } })
  })

  test('the largest valid parameters have fewer', () => {
    const apis = new Array(16).fill({ resource: 'r', scope: 's', purpose: 'dpv:X' })
    const headers = Object.fromEntries([...new Array(100).keys()].map((name) => [name, 'value']))
    expect(() => takeOctets(newOrigin(), requestOf({ apis, headers, reason: 'x' }))).not.toThrow()
  })
})

describe('octets', () => {
  const half = 'x'.repeat(MAX_OCTETS_OF_ORIGIN / 4)

  test.each<[name: string, more: Partial<UnverifiedPageRequest>]>([
    ['parameters', { params: { url: half } }],
    ['the key', { key: half }],
    ['the method', { method: half }],
  ])('of %s are counted until the call ends', (_, more) => {
    const origin = newOrigin()
    const request = requestOf(undefined, more)
    const release = takeOctets(origin, request)
    const large = requestOf({ url: half })
    expect(() => takeOctets(origin, large)).toThrow('too large together')
    release()
    takeOctets(origin, large)()
  })

  test('of large calls of other origins do not keep a small call out', () => {
    const large = requestOf({ url: half.slice(100) })
    const [first, second] = [newOrigin(), newOrigin()]
    const releases = [first, first, second, second].map((origin) => takeOctets(origin, large))
    expect(() => takeOctets(newOrigin(), large)).toThrow('too large together')
    takeOctets(newOrigin(), requestOf({ url: 'x'.repeat(10_000) }))()
    for (const release of releases) release()
  })
})
