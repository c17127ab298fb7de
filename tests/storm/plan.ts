/**
 * What goes wrong in which flow. A plan follows from its seed alone. Nothing in it is bound to a time:
 * an event comes at a moment of the flow, which stands still meanwhile, so that what comes of a flow
 * follows from the plan as well.
 */

import type { FaultRule } from '../../demo-site/network/index.ts'

/** Where a flow stands still: at a request to a server, or with the broker's own question on the screen. */
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

/** What the user or the browser does at a moment of the flow. */
export interface PlannedEvent {
  type: EventType
  moment: Moment
}

export interface PlannedFlow {
  /** The second of two sites is one for which the broker asks in its own window. */
  site: 0 | 1
  /** What the user says in that window. */
  answer: 'allow' | 'deny' | 'close'
  fault?: FaultRule
  event?: PlannedEvent
  /** What the page does with its grant before it gives it back. */
  use: 'nothing' | 'call' | 'token' | 'renewal'
}

/** A generator of numbers from 0 to 1, exclusive. @see Mulberry32 by T. Ettinger, public domain */
export function seeded(seed: number): () => number {
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
const METADATA = '/.well-known/*'
const PATHS = [METADATA, '/auth', '/token', '/token']
/** After so many refusals in a row the broker asks no more; the user says yes before. */
const MOST_REFUSALS = 2

type Action = FaultRule['action']

/** Delays stay far below the limits of broker and browser. */
function actions(random: () => number): Action[] {
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

/** The moments that a flow of this kind comes to, with what may happen there. */
function moments({ site, answer, use }: PlannedFlow): [Moment, EventType[]][] {
  const at = (path: string, nth = 1, server = AUTHORIZATION) =>
    (['processing', 'answering'] as const).map(
      (before): Moment => ({ at: 'request', server, path, nth, before }),
    )
  const anywhere: EventType[] = ['stop-worker', 'stop-worker', 'reload-page', 'ask-twice']
  const found: [Moment, EventType[]][] = []
  const add = (where: Moment[], what: EventType[]) => {
    for (const moment of where) found.push([moment, what])
  }
  if (site === 1) add([{ at: 'consent' }], anywhere)
  if (site === 1 && answer !== 'allow') return found
  add([...at(METADATA), ...at('/token')], anywhere)
  add(at('/auth'), [...anywhere, 'close-window'])
  if (use === 'renewal') add(at('/token', 2), anywhere)
  if (use === 'call') add(at('*', 1, APIS), ['stop-worker', 'reload-page'])
  return found
}

/** The whole storm. */
export function plan(seed: number, flows: number): PlannedFlow[] {
  const random = seeded(seed)
  const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  let refusals = 0
  return Array.from({ length: flows }, () => {
    const flow: PlannedFlow = {
      site: random() < 0.2 ? 1 : 0,
      answer: one(['allow', 'allow', 'allow', 'deny', 'close']),
      use: one(['nothing', 'nothing', 'call', 'token', 'renewal']),
    }
    if (flow.site === 0 || refusals === MOST_REFUSALS) flow.answer = 'allow'
    if (random() < 0.6) {
      const atApi = flow.use === 'call' && random() < 0.3
      flow.fault = {
        server: atApi ? APIS : AUTHORIZATION,
        path: atApi ? '*' : one(PATHS),
        nth: random() < 0.8 ? 1 : 2,
        action: one(actions(random)),
      }
    }
    if (random() < 0.4) {
      const [moment, types] = one(moments(flow))
      flow.event = { type: one(types), moment }
    }
    // A refusal counts until a yes has been heard, and a page that leaves takes its question along.
    if (flow.answer === 'deny') refusals += 1
    else if (flow.site === 1 && flow.answer === 'allow' && flow.event?.type !== 'reload-page')
      refusals = 0
    return flow
  })
}
