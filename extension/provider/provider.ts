/**
 * The provider object: `request`, `on`, `removeListener`. Every call settles, also when the content
 * script is gone: while something is awaited it is pinged, and silence means `broker_gone`.
 */

import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  PORT_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import {
  ANNOUNCE_EVENT,
  ERROR_CODE,
  type Provider,
  type ProviderDetail,
  type ProviderErrorObject,
  type ProviderEvent,
  REQUEST_EVENT,
  type RequestArguments,
} from '../../shared/messages/page-api.ts'
import { ICON } from './icon.ts'

const PING_INTERVAL_MS = 2_000

interface Pending {
  resolve(value: unknown): void
  reject(reason: unknown): void
  forget(): void
}

function providerError({ message, code, data }: ProviderErrorObject): Error {
  return Object.assign(new Error(message), { name: 'ProviderError', code, data })
}

const gone: ProviderErrorObject = {
  code: ERROR_CODE.brokerGone,
  message: 'the broker was updated, switched off or removed',
  data: { error: 'broker_gone' },
}

function invalidParams(message: string): Error {
  return providerError({
    code: ERROR_CODE.invalidParams,
    message,
    data: { error: 'invalid_params', errorDescription: message },
  })
}

export function connectProvider(): void {
  // The page may replace any of these later; what was there first is kept.
  const { port1: port, port2 } = new MessageChannel()
  const post = port.postMessage.bind(port) as (message: ProviderToContent) => void
  const startTimer = setInterval.bind(window)
  const stopTimer = clearInterval.bind(window)
  const pending = new Map<number, Pending>()
  const listeners = new Map<ProviderEvent, Set<(payload: unknown) => void>>()
  let lastId = 0
  let timer: ReturnType<typeof setInterval> | undefined
  let unanswered = 0
  let isGone = false

  function settle(id: number): Pending | undefined {
    const call = pending.get(id)
    pending.delete(id)
    call?.forget()
    watch()
    return call
  }

  function emit(event: ProviderEvent, payload: unknown): void {
    for (const listener of [...(listeners.get(event) ?? [])]) {
      try {
        listener(payload)
      } catch (error) {
        reportError(error)
      }
    }
  }

  function disconnect(): void {
    if (isGone) return
    isGone = true
    window.removeEventListener(REQUEST_EVENT, announce)
    for (const id of [...pending.keys()]) settle(id)?.reject(providerError(gone))
    emit('disconnect', {})
    watch()
  }

  /** Pings while a call or a listener waits for something; two silent intervals end it. */
  function watch(): void {
    const needed = !isGone && (pending.size > 0 || listeners.size > 0)
    if (needed && timer === undefined) {
      unanswered = 0
      timer = startTimer(() => {
        if (unanswered++ > 1) disconnect()
        else post({ type: 'ping' })
      }, PING_INTERVAL_MS)
    } else if (!needed && timer !== undefined) {
      stopTimer(timer)
      timer = undefined
    }
  }

  port.onmessage = ({ data }: MessageEvent<ContentToProvider>) => {
    unanswered = 0
    if (data.type === 'response') {
      const call = settle(data.id)
      if ('error' in data) {
        call?.reject(providerError(data.error))
        if (data.error.code === ERROR_CODE.brokerGone) disconnect()
      } else call?.resolve(data.result)
    } else if (data.type === 'event') {
      if (data.event === 'disconnect') disconnect()
      else emit(data.event, data.payload)
    }
  }

  function request(args: RequestArguments): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (typeof args !== 'object' || args === null || typeof args.method !== 'string') {
        throw invalidParams('request: expected { method: string, params?: object, signal? }')
      }
      const { method, params, signal } = args
      signal?.throwIfAborted()
      if (isGone) throw providerError(gone)
      const id = ++lastId
      const abort = () => {
        settle(id)?.reject(signal?.reason)
        post({ type: 'abort', id })
      }
      try {
        post({ type: 'request', id, method, params })
      } catch {
        throw invalidParams('params: expected data that can be cloned')
      }
      signal?.addEventListener('abort', abort)
      const forget = () => signal?.removeEventListener('abort', abort)
      pending.set(id, { resolve, reject, forget })
      watch()
    })
  }

  const provider: Provider = {
    request,
    on(event, listener) {
      const known = listeners.get(event) ?? new Set()
      listeners.set(event, known.add(listener))
      watch()
    },
    removeListener(event, listener) {
      const known = listeners.get(event)
      known?.delete(listener)
      if (known?.size === 0) listeners.delete(event)
      watch()
    },
  }

  const detail: ProviderDetail = Object.freeze({
    info: Object.freeze({
      uuid: crypto.randomUUID(),
      name: 'Northkey',
      rdns: 'example.northkey',
      icon: ICON,
      version: __VERSION__,
      protocol: '1' as const,
    }),
    provider: Object.freeze(provider),
  })

  function announce(): void {
    window.dispatchEvent(new CustomEvent(ANNOUNCE_EVENT, { detail }))
  }

  const offer = () => window.dispatchEvent(new MessageEvent(PORT_EVENT, { ports: [port2] }))
  window.addEventListener(CONTENT_READY_EVENT, offer, { once: true })
  window.addEventListener(REQUEST_EVENT, announce)
  offer()
}
