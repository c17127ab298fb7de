/**
 * Creates the plan of a storm: the fault and the event of each flow. The plan depends on the seed only. It
 * contains no times: an event happens at a moment at which the flow is held, so that the result of the flow
 * depends on the plan only.
 *
 * Border: the order of the random numbers is part of the plan. A change of it changes the storm of every
 * seed.
 */

import type { FaultRule } from '../../demo-site/network/index.ts'

/**
 * Moment at which a flow is held: at a request to a server, or while the consent window of the broker is
 * shown.
 */
export type Moment =
  | { at: 'consent' }
  | {
      at: 'request'
      server: string
      path: string
      nth: number
      before: 'processing' | 'answering'
    }

export type EventType = 'stop-worker' | 'close-window' | 'reload-page' | 'ask-twice'

/** Action of the user or the browser at a moment of the flow. */
export interface PlannedEvent {
  type: EventType
  moment: Moment
}

export interface PlannedFlow {
  /** Index of the site. The broker shows its consent window for the second site only. */
  site: 0 | 1
  /** Answer of the user in the consent window. */
  answer: 'allow' | 'deny' | 'close'
  fault?: FaultRule
  event?: PlannedEvent
  /** Profile of the operator. */
  operator: 'oauth' | 'capif'
  /** Use of the grant before its end. */
  use: 'nothing' | 'call' | 'token' | 'renewal'
  /** Who revokes the grant: the page, at the revocation endpoint, or the network, by a CAPIF notification. */
  end: 'page' | 'network'
}

/**
 * Creates a generator of random numbers from 0 to 1, exclusive.
 *
 * @see Mulberry32 by T. Ettinger, public domain
 */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const AUTHORIZATION = 'authorization-function'
const APIS = 'api-exposing-functions'
const METADATA = '*/.well-known/*'
const AUTH = '*/auth'
const TOKEN = '*/token'
const REVOCATION = '*/token/revocation'
const PATHS = [METADATA, AUTH, TOKEN, TOKEN, REVOCATION]
/**
 * Number of consecutive denials. With one more the broker would reject without a window, so the user
 * allows.
 */
const MAX_DENIALS = 2

type Action = FaultRule['action']

/** Lists the actions of faults. Delays are far below the limits of broker and browser. */
function listActions(random: () => number): Action[] {
  const json = { 'content-type': 'application/json' }
  return [
    { type: 'drop', when: 'before-reading' },
    { type: 'drop', when: 'after-reading' },
    { type: 'drop', when: 'after-processing' },
    { type: 'drop', when: 'mid-body' },
    { type: 'delay', ms: Math.floor(random() * 400) },
    { type: 'drip', bytesPerSecond: 6_000 + Math.floor(random() * 12_000) },
    { type: 'status', status: 500 },
    { type: 'status', status: 503, headers: { 'retry-after': '1' } },
    { type: 'status', status: 429, headers: { 'retry-after': '1' } },
    { type: 'status', status: 400, headers: json, body: '{"error":"invalid_grant"}' },
    { type: 'status', status: 401, headers: json, body: '{"error":"invalid_client"}' },
    { type: 'body', body: '<!doctype html>', contentType: 'text/html' },
    { type: 'body', body: '{"access_token":', contentType: 'application/json' },
    { type: 'body', body: '{}', contentType: 'application/json' },
    { type: 'redirect', location: 'https://elsewhere.example/', status: 307 },
    { type: 'header', headers: { 'access-control-allow-origin': null } },
    { type: 'issuer', issuer: null },
    { type: 'issuer', issuer: 'https://elsewhere.example' },
    { type: 'clock', seconds: -7_200 },
    { type: 'rotate-keys' },
  ]
}

/** Lists the moments that a flow of this kind reaches, with the possible events. */
function listMoments({ site, answer, use, end }: PlannedFlow): [Moment, EventType[]][] {
  const at = (path: string, nth = 1, server = AUTHORIZATION) =>
    (['processing', 'answering'] as const).map(
      (before): Moment => ({ at: 'request', server, path, nth, before }),
    )
  const anywhere: EventType[] = ['stop-worker', 'stop-worker', 'reload-page', 'ask-twice']
  const found: [Moment, EventType[]][] = []
  const add = (heldAt: Moment[], events: EventType[]) => {
    for (const moment of heldAt) found.push([moment, events])
  }
  if (site === 1) add([{ at: 'consent' }], anywhere)
  if (site === 1 && answer !== 'allow') return found
  add([...at(METADATA), ...at(TOKEN)], anywhere)
  add(at(AUTH), [...anywhere, 'close-window'])
  if (use === 'renewal') add(at(TOKEN, 2), anywhere)
  if (end === 'page') add(at(REVOCATION), ['stop-worker', 'stop-worker', 'reload-page'])
  if (use === 'call') add(at('*', 1, APIS), ['stop-worker', 'reload-page'])
  return found
}

/** Plans all flows of a storm. */
export function createPlan(seed: number, flows: number): PlannedFlow[] {
  const random = createRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  let denials = 0
  return Array.from({ length: flows }, () => {
    const flow: PlannedFlow = {
      site: random() < 0.2 ? 1 : 0,
      answer: pick(['allow', 'allow', 'allow', 'deny', 'close']),
      operator: random() < 0.25 ? 'capif' : 'oauth',
      use: pick(['nothing', 'nothing', 'call', 'token', 'renewal']),
      end: 'page',
    }
    if (flow.operator === 'capif' && random() < 0.5) flow.end = 'network'
    if (flow.site === 0 || denials === MAX_DENIALS) flow.answer = 'allow'
    if (random() < 0.6) {
      const atApi = flow.use === 'call' && random() < 0.3
      flow.fault = {
        server: atApi ? APIS : AUTHORIZATION,
        path: atApi ? '*' : pick(PATHS),
        nth: random() < 0.8 ? 1 : 2,
        action: pick(listActions(random)),
      }
    }
    if (random() < 0.4) {
      const [moment, types] = pick(listMoments(flow))
      flow.event = { type: pick(types), moment }
    }
    // Denials count until the user allows, and a page that is left withdraws its request.
    if (flow.answer === 'deny') denials += 1
    else if (flow.site === 1 && flow.answer === 'allow' && flow.event?.type !== 'reload-page')
      denials = 0
    return flow
  })
}
