/**
 * What goes wrong in which flow. A plan follows from its seed alone, so a storm can be had again; what
 * the browsers and servers make of it is up to them.
 */

import type { FaultRule } from '../../demo-site/network/index.ts'

/** What the user or the browser does while a flow runs, so many milliseconds after it began. */
export type Event =
  | { type: 'stop-worker'; afterMs: number }
  | { type: 'close-window'; afterMs: number }
  | { type: 'reload-page'; afterMs: number }
  | { type: 'ask-twice'; afterMs: number }

export interface PlannedFlow {
  fault?: FaultRule
  event?: Event
  /** Whether the grant is used before it is given back. */
  use: boolean
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
const PATHS = ['/.well-known/*', '/auth', '/token', '/token', '/jwks']

type Action = FaultRule['action']

function actions(random: () => number): Action[] {
  const json = { 'content-type': 'application/json' }
  return [
    { type: 'drop', when: 'before-reading' },
    { type: 'drop', when: 'after-reading' },
    { type: 'drop', when: 'after-processing' },
    { type: 'drop', when: 'mid-body' },
    { type: 'delay', ms: Math.floor(random() * 600) },
    { type: 'drip', bytesPerSecond: 2_000 + Math.floor(random() * 8_000) },
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

const EVENTS = ['stop-worker', 'stop-worker', 'close-window', 'reload-page', 'ask-twice'] as const

/** The whole storm. */
export function plan(seed: number, flows: number): PlannedFlow[] {
  const random = seeded(seed)
  const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  return Array.from({ length: flows }, () => {
    const flow: PlannedFlow = { use: random() < 0.3 }
    if (random() < 0.6) {
      const atApi = flow.use && random() < 0.3
      flow.fault = {
        server: atApi ? APIS : AUTHORIZATION,
        path: atApi ? '*' : one(PATHS),
        nth: random() < 0.8 ? 1 : 2,
        action: one(actions(random)),
      }
    }
    if (random() < 0.35) flow.event = { type: one(EVENTS), afterMs: Math.floor(random() * 400) }
    return flow
  })
}
