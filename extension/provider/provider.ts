/**
 * Provider object of the page: `request`, `on`, `removeListener`. Every call settles, also when the content
 * script is gone: the provider pings the content script while a call or a listener waits, and pings without
 * an answer mean `broker_gone`. Equal requests are deduplicated (`request-deduplication.ts`).
 *
 * The port to the content script is made when the page asks for a provider: most pages never do.
 *
 * Border: the page's own world. A call uses no function that the page replaced after it has asked for a provider. What
 * the page can reach here it is allowed to have.
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
import { PING_INTERVAL_MS } from '../limits.ts'
import { ICON } from './icon.ts'

/** A caller of `request` that waits. */
interface Waiter {
  resolve(value: unknown): void
  reject(reason: unknown): void
  /** Removes the listener from the caller's signal, where there is a signal. */
  removeListener: (() => void) | undefined
}

/** One call to the broker and all callers that wait for its answer. */
interface PendingCall {
  id: number
  key: string | undefined
  waiters: Set<Waiter>
}

/** The members of a message, as they are read before its kind is known. */
interface ContentMessage {
  id?: number
  event: ProviderEvent
  payload: unknown
  error?: ProviderErrorObject
  result: Partial<AccessToken>
}

type Listener = (payload: never) => void

/** Its members are class fields, which are defined and not set: a page may put setters on every object. */
const createError = ({ code, message, data }: ProviderErrorObject) =>
  new (class ProviderError extends Error {
    override readonly name = 'ProviderError'
    readonly code = code
    readonly data = data
  })(message)

// Two numbers only: the whole table of error codes would be a tenth of what enters each page.
const invalidParams = (message: string) =>
  createError({ code: -32602, message, data: { error: 'invalid_params' } })
const brokerGone = () =>
  createError({
    code: 4900,
    message: 'the broker is gone',
    data: { error: 'broker_gone' },
  })

export function connectProvider(): void {
  // The page may replace any of these later; the provider keeps the original functions.
  const {
    setTimeout,
    queueMicrotask,
    structuredClone,
    AbortSignal,
    Promise: NativePromise,
  } = window
  const { freeze } = Object
  const stringify = JSON.stringify

  /** Each call under its `id`, and under its deduplication key if it has one. */
  const pending = new Map<string | number | undefined, PendingCall>()
  const listeners = new Map<ProviderEvent, Set<Listener>>()
  let lastId = 0
  let unansweredPings = 0
  let isPortTaken: boolean | undefined
  /** The end of the content script. */
  let offeredPort: MessagePort | undefined
  let send: (messages: ProviderToContent[]) => void
  let isGone: boolean | undefined
  let isPingScheduled: boolean | undefined

  const queue = createBatch<ProviderToContent>((batch) => send(batch), queueMicrotask)

  /** Removes a call and settles it for each caller that waits. */
  function settleCall(call: PendingCall, settleWaiter: (waiter: Waiter) => void): void {
    pending.delete(call.id)
    pending.delete(call.key)
    for (const waiter of call.waiters) {
      // Before the caller continues, and in a microtask of its own: a page's signal may throw.
      if (waiter.removeListener) queueMicrotask(waiter.removeListener)
      settleWaiter(waiter)
    }
  }

  function emitEvent(event: ProviderEvent, payload: unknown): void {
    for (const listener of listeners.get(event) ?? []) {
      // In a microtask of its own: the browser reports an error of one listener, and calls the others.
      queueMicrotask(() => listener(payload as never))
    }
  }

  function disconnect(): void {
    if (isGone) return
    isGone = true
    for (const call of pending.values()) settleCall(call, ({ reject }) => reject(brokerGone()))
    emitEvent('disconnect', {})
  }

  /**
   * Schedules the next ping, while a call or a listener waits. Two intervals without an answer mean that the
   * content script is gone. One timer serves all calls; most of them settle long before it fires.
   */
  function schedulePing(): void {
    if (isPingScheduled) return
    isPingScheduled = true
    setTimeout(() => {
      isPingScheduled = false
      if (isGone || !(pending.size + listeners.size)) unansweredPings = 0
      else if (unansweredPings++ > 1) disconnect()
      else {
        send([])
        schedulePing()
      }
    }, PING_INTERVAL_MS)
  }

  function handleMessages({ data }: MessageEvent<ContentToProvider[]>): void {
    unansweredPings = 0
    for (const message of data) {
      // The kind of a message follows from its `id` first, not from `in`: a page may put members on every object.
      const { id, event, payload, error, result } = message as ContentMessage
      const call = pending.get(id)
      if (call) {
        settleCall(call, ({ resolve, reject }) => {
          // Each caller gets a copy, so that a change by one caller does not reach another. A token is
          // flat, and the spread is faster where a thousand callers wait for it.
          const copyResult = () => (result.accessToken ? { ...result } : structuredClone(result))
          if (error) reject(createError(error))
          else resolve(call.waiters.size === 1 ? result : copyResult())
        })
      } else if (!id) {
        if (event === 'disconnect') disconnect()
        else emitEvent(event, payload)
      }
    }
  }

  /** Returns the pending call of an equal request, or sends a new call. */
  function joinOrSendCall(method: string, params: unknown): PendingCall {
    const key = deduplicationKey(method, params, stringify)
    let call = pending.get(key)
    if (call) return call
    let copy: unknown
    if (!key) {
      // A copy, since the batch may be sent later in the task. A function stands for what cannot be copied:
      // it is not plain.
      try {
        copy = structuredClone(params)
      } catch {
        // A value that cannot be cloned is in it, and a function is not plain.
        copy = structuredClone
      }
      if (!isPlain(copy)) throw invalidParams('params: expected plain data')
    }
    call = { id: ++lastId, key, waiters: new Set() }
    // The only pending call is sent at once; further calls of this task go in one batch.
    queue({ id: lastId, key, method, params: copy }, !pending.size)
    pending.set(lastId, call).set(key || lastId, call)
    schedulePing()
    return call
  }

  // An arrow function: a function of another kind has a `prototype` that would not be frozen.
  // Its result is that of the method, whatever the broker answers: `never` fits each of them.
  const request = (args: RequestArguments): Promise<never> =>
    new NativePromise((resolve, reject) => {
      const { method, params = {}, signal } = args ?? {}
      if (typeof method !== 'string') throw invalidParams('method: expected a string')
      if (signal !== undefined && !(signal instanceof AbortSignal)) {
        throw invalidParams('signal: expected an AbortSignal')
      }
      signal?.throwIfAborted()
      if (isGone) throw brokerGone()
      const call = joinOrSendCall(method, params)
      const abort = () => {
        call.waiters.delete(waiter)
        reject(signal?.reason)
        if (call.waiters.size) return
        // No caller is left: the call is removed, and aborted at the broker.
        settleCall(call, reject)
        queue({ id: call.id })
      }
      const removeListener = signal && (() => signal.removeEventListener('abort', abort))
      const waiter = { resolve, reject, removeListener }
      signal?.addEventListener('abort', abort)
      call.waiters.add(waiter)
    })

  const provider: Provider = freeze({
    request: freeze(request),
    on: freeze((event: ProviderEvent, listener: Listener) => {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener))
      schedulePing()
    }),
    removeListener: freeze((event: ProviderEvent, listener: Listener) => {
      listeners.get(event)?.delete(listener)
      if (!listeners.get(event)?.size) listeners.delete(event)
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

  /** Announces the provider, once a content script has its port. */
  function announceProvider(): void {
    if (isGone) return
    if (!offeredPort) {
      const { port1, port2 } = new MessageChannel()
      offeredPort = port2
      send = port1.postMessage.bind(port1)
      port1.onmessage = handleMessages
    }
    isPortTaken ||= !dispatchEvent(
      new MessageEvent(PORT_EVENT + __VERSION__, { ports: [offeredPort], cancelable: true }),
    )
    if (isPortTaken) dispatchEvent(new CustomEvent(ANNOUNCE_EVENT, { detail }))
  }

  /**
   * A content script that becomes ready after another has taken the port belongs to a reloaded extension, and the
   * broker of this provider is gone. Otherwise the page may have asked before there was a content script.
   */
  function handleReady(): void {
    if (isPortTaken) disconnect()
    else if (offeredPort) announceProvider()
  }

  /** Adds the listeners that are not there. It is the page's `addEventListener` after `document.open()`. */
  function listen(): void {
    addEventListener(CONTENT_READY_EVENT, handleReady)
    addEventListener(REQUEST_EVENT, announceProvider)
  }
  // `document.open()` removes the listeners of the window, and the nodes of the document.
  new MutationObserver(listen).observe(document, { childList: true })
  listen()
}
