/**
 * The provider object: `request`, `on`, `removeListener`. Every call settles, also when the content
 * script is gone: while something is awaited it is pinged, and silence means `broker_gone`.
 *
 * Border: the page's own world. What a page replaces after this script has run is not used here; what
 * it can reach here it may have anyway.
 */

import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  PORT_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import { createBatch } from '../../shared/messages/message-batch.ts'
import {
  type AccessToken,
  ANNOUNCE_EVENT,
  type Provider,
  type ProviderDetail,
  type ProviderErrorObject,
  type ProviderEvent,
  REQUEST_EVENT,
  type RequestArguments,
} from '../../shared/messages/page-api.ts'
import { isPlain } from '../../shared/messages/plain-data.ts'
import { deduplicationKey } from '../../shared/messages/request-deduplication.ts'
import { ICON } from './icon.ts'

const PING_INTERVAL_MS = 2_000

interface Waiter {
  resolve(value: unknown): void
  reject(reason: unknown): void
  /** Stops listening to the caller's signal, where there is one. */
  forget: (() => void) | undefined
}

/** One call to the broker and everyone who waits for its answer. */
interface Pending {
  id: number
  key: string | undefined
  waiters: Set<Waiter>
}

interface Said {
  id?: number
  event: ProviderEvent
  payload: unknown
  error?: ProviderErrorObject
  result: Partial<AccessToken>
}

type Listener = (payload: unknown) => void

/** Its members are its own from the start: a page may give every object setters. */
class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly code
  readonly data

  constructor(error: ProviderErrorObject) {
    super(error.message)
    this.code = error.code
    this.data = error.data
  }
}

// Their numbers alone: the contract's whole table would be a tenth of what enters each page.
const invalidParams = (message: string) =>
  new ProviderError({ code: -32602, message, data: { error: 'invalid_params' } })
const gone = () =>
  new ProviderError({
    code: 4900,
    message: 'the broker is gone',
    data: { error: 'broker_gone' },
  })

export function connectProvider(): void {
  // The page may replace any of these later; what was there first is kept.
  const { port1: port, port2 } = new MessageChannel()
  const {
    setTimeout,
    dispatchEvent,
    queueMicrotask,
    structuredClone,
    AbortSignal,
    CustomEvent,
    Promise: NativePromise,
  } = window
  const send = port.postMessage.bind(port) as (messages: ProviderToContent[]) => void
  const { freeze } = Object
  const { stringify } = JSON

  /** Each under its number, and under its key where it has one. */
  const pending = new Map<string | number | undefined, Pending>()
  const listeners = new Map<ProviderEvent, Set<Listener>>()
  let lastId = 0
  let unanswered = 0
  let isTaken: boolean | undefined
  let isGone: boolean | undefined
  let isWatching: boolean | undefined

  const post = createBatch<ProviderToContent>(send, queueMicrotask)

  /** Takes a call off the list and tells everyone who waits for it. */
  function settle(call: Pending, tell: (waiter: Waiter) => void): void {
    pending.delete(call.id)
    pending.delete(call.key)
    for (const waiter of call.waiters) {
      // Before the caller goes on, and each for itself: a signal may throw.
      if (waiter.forget) queueMicrotask(waiter.forget)
      tell(waiter)
    }
  }

  function emit(event: ProviderEvent, payload: unknown): void {
    for (const listener of listeners.get(event) ?? []) {
      // The browser reports what one of them throws, and the others are called all the same.
      queueMicrotask(() => listener(payload))
    }
  }

  function disconnect(): void {
    if (isGone) return
    isGone = true
    for (const call of pending.values()) settle(call, ({ reject }) => reject(gone()))
    emit('disconnect', {})
  }

  /**
   * Pings while a call or a listener waits for something; two silent intervals end it. Most calls are
   * over long before its turn, and do not need a timer each.
   */
  function watch(): void {
    if (isWatching) return
    isWatching = true
    setTimeout(() => {
      isWatching = false
      if (isGone || !(pending.size + listeners.size)) unanswered = 0
      else if (unanswered++ > 1) disconnect()
      else {
        send([])
        watch()
      }
    }, PING_INTERVAL_MS)
  }

  port.onmessage = ({ data }: MessageEvent<ContentToProvider[]>) => {
    unanswered = 0
    for (const message of data) {
      // By `id` first, and not by `in`: a page may give every object other members.
      const { id, event, payload, error, result } = message as Said
      const call = pending.get(id)
      if (call) {
        settle(call, ({ resolve, reject }) => {
          // Each caller gets an answer of its own: what one does to it is not the others' affair.
          // A token is flat, and a thousand callers of it are not rare.
          if (error) reject(new ProviderError(error))
          else if (call.waiters.size === 1) resolve(result)
          else resolve(result.accessToken ? { ...result } : structuredClone(result))
        })
      } else if (!id) {
        if (event === 'disconnect') disconnect()
        else emit(event, payload)
      }
    }
  }

  /** The call to wait for: one that asks the same and runs already, or a new one. */
  function join(method: string, params: unknown): Pending {
    const key = deduplicationKey(method, params, stringify)
    let call = pending.get(key)
    if (call) return call
    let copy: unknown
    if (!key) {
      // As they are now: they may be sent when the page's turn is over. A function is not plain.
      copy = structuredClone
      try {
        copy = structuredClone(params)
      } catch {
        // A function, or the like, is in it.
      }
      if (!isPlain(copy)) throw invalidParams('params: expected plain data')
    }
    call = { id: ++lastId, key, waiters: new Set() }
    // Who asks alone waits for nobody; what else is said in this turn goes together.
    post({ id: lastId, key, method, params: copy }, !pending.size)
    pending.set(lastId, call).set(key || lastId, call)
    watch()
    return call
  }

  // An arrow function: another kind would have a prototype that is not frozen.
  const request = (args: RequestArguments): Promise<unknown> =>
    new NativePromise((resolve, reject) => {
      const { method, params = {}, signal } = args ?? {}
      if (typeof method !== 'string') throw invalidParams('method: expected a string')
      if (signal !== undefined && !(signal instanceof AbortSignal)) {
        throw invalidParams('signal: expected an AbortSignal')
      }
      signal?.throwIfAborted()
      if (isGone) throw gone()
      const call = join(method, params)
      const abort = () => {
        call.waiters.delete(waiter)
        reject(signal?.reason)
        if (call.waiters.size) return
        // Nobody is left to be told.
        settle(call, reject)
        post({ id: call.id })
      }
      const forget = signal && (() => signal.removeEventListener('abort', abort))
      const waiter = { resolve, reject, forget }
      signal?.addEventListener('abort', abort)
      call.waiters.add(waiter)
    })

  const provider: Provider = freeze({
    request: freeze(request),
    on: freeze((event: ProviderEvent, listener: Listener) => {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener))
      watch()
    }),
    removeListener: freeze((event: ProviderEvent, listener: Listener) => {
      const known = listeners.get(event)
      known?.delete(listener)
      if (!known?.size) listeners.delete(event)
    }),
  })

  const detail: ProviderDetail = freeze({
    info: freeze({
      uuid: crypto.randomUUID(),
      name: 'Northkey',
      rdns: 'example.northkey',
      icon: ICON,
      version: __VERSION__,
      protocol: '1' as const,
    }),
    provider,
  })

  function announce(): void {
    if (!isGone) dispatchEvent(new CustomEvent(ANNOUNCE_EVENT, { detail }))
  }

  /**
   * Offers the port until somebody takes it. A content script that comes after that is the one of
   * another life of the extension, with a provider of its own: Firefox puts both into open documents.
   */
  function offer(): void {
    if (isTaken) disconnect()
    else
      isTaken = !dispatchEvent(new MessageEvent(PORT_EVENT, { ports: [port2], cancelable: true }))
  }
  addEventListener(CONTENT_READY_EVENT, offer)
  addEventListener(REQUEST_EVENT, announce)
  offer()
}
