/**
 * Mock of the network: only announced exchanges can happen, in their order, and `done` checks that all of them
 * happened. It works in every runtime of the suite.
 */

import type { Effects } from '../../../shared/core/index.ts'

export interface SentRequest {
  url: string
  method: string
  headers: Headers
  body: string
  form: URLSearchParams
  init: RequestInit
}

export type Answer = Response | ((request: SentRequest) => Response | Promise<Response>)

export interface ClosedNetwork extends Effects {
  /** Announces the next exchange with this URL. */
  on(url: string, answer: Answer): ClosedNetwork
  readonly sent: SentRequest[]
  /** Throws unless all announced exchanges have happened. */
  done(): void
  /** Moves the clock. */
  advance(milliseconds: number): void
}

/** 2026-01-01T00:00:00Z, far from the system clock, so that a test detects a use of `Date.now()`. */
export const START = Date.UTC(2026, 0, 1)

export function closedNetwork(options: Partial<Effects> = {}): ClosedNetwork {
  const announced: { url: string; answer: Answer }[] = []
  const sent: SentRequest[] = []
  let now = START
  return {
    jwks: { sets: new Map(), pending: new Map() },
    ...options,
    now: () => now,
    sent,
    advance: (milliseconds) => {
      now += milliseconds
    },
    on(url, answer) {
      announced.push({ url, answer })
      return this
    },
    done() {
      if (announced.length > 0) throw new Error(`never requested: ${announced.map((a) => a.url)}`)
    },
    fetch: async (input, init = {}) => {
      const url = String(input)
      const request: SentRequest = {
        url,
        method: init.method ?? 'GET',
        headers: new Headers(init.headers),
        body: String(init.body ?? ''),
        form: new URLSearchParams(String(init.body ?? '')),
        init,
      }
      sent.push(request)
      const next = announced.shift()
      if (next?.url !== url) throw new Error(`not announced: ${request.method} ${url}`)
      return typeof next.answer === 'function' ? next.answer(request) : next.answer
    },
  }
}

export function json(body: unknown, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers)
  if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { ...init, headers })
}
