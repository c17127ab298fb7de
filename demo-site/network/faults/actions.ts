/** Applies the action of a fault to a request. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordedRequest } from '../http/recorded-request.ts'
import type { Answer } from '../http/serve.ts'
import { runWithClockShift } from './clock.ts'
import { holdAnswer } from './held-answer.ts'
import { replaceIssuer } from './issuer.ts'
import type { FaultAction } from './rule.ts'

export interface FaultContext {
  request: RecordedRequest
  answer: Answer
  /** Processes the request without a fault. */
  next: () => Promise<void>
  /** Resolves when the fault is switched off. */
  switchedOff: Promise<void>
  /** Rotates the signing key of the issuer at this path. */
  rotateKeys: (path: string) => Promise<void>
}

const DRIP_TICK_MS = 50

export async function applyFault(action: FaultAction, context: FaultContext): Promise<void> {
  const { request, answer, next } = context
  switch (action.type) {
    case 'delay':
      await sleep(action.ms)
      return next()
    case 'hang':
      return context.switchedOff.then(() => void request.socket.destroy())
    case 'hold':
      if (action.before === 'processing') return context.switchedOff.then(next)
      if (action.before === 'second-half') return holdSecondHalf(context)
      return changeAnswer(context, async (body) => {
        await context.switchedOff
        return body
      })
    case 'drop':
      return dropConnection(action.when, context)
    case 'drip':
      return dripAnswer(action.bytesPerSecond, context)
    case 'status':
      answer.writeHead(action.status, { 'cache-control': 'no-store', ...action.headers })
      answer.end(action.body)
      return
    case 'redirect':
      answer.writeHead(action.status ?? 307, { location: action.location }).end()
      return
    case 'header':
      return changeAnswer(context, (body) => {
        for (const [name, value] of Object.entries(action.headers)) {
          if (value === null) answer.removeHeader(name)
          else answer.setHeader(name, value)
        }
        return body
      })
    case 'body':
      return changeAnswer(context, () => {
        if (action.contentType !== undefined) answer.setHeader('content-type', action.contentType)
        return Buffer.from(action.body)
      })
    case 'issuer':
      return changeAnswer(context, (body) => replaceIssuer(answer, body, action.issuer))
    case 'clock':
      return runWithClockShift(action.seconds * 1000, async () => {
        answer.setHeader('Date', new Date(Date.now()).toUTCString())
        await changeAnswer(context, (body) => body)
      })
    case 'rotate-keys':
      await context.rotateKeys(new URL(request.url ?? '/', 'http://server.invalid').pathname)
      return next()
  }
}

async function changeAnswer(
  { answer, next }: FaultContext,
  change: (body: Buffer) => Buffer | Promise<Buffer>,
): Promise<void> {
  const heldAnswer = await holdAnswer(answer, next)
  heldAnswer.send(await change(heldAnswer.body))
}

async function dropConnection(
  when: Extract<FaultAction, { type: 'drop' }>['when'],
  { request, answer, next }: FaultContext,
): Promise<void> {
  if (when === 'after-reading') await request.readBody()
  if (when === 'after-processing') await holdAnswer(answer, next)
  if (when === 'mid-body') {
    const { body } = await holdAnswer(answer, next)
    answer.removeHeader('transfer-encoding')
    answer.setHeader('content-length', Math.max(body.length, 2))
    const firstHalf = body.length < 2 ? Buffer.from(' ') : body.subarray(0, body.length >> 1)
    await new Promise<void>((resolve) => {
      answer.write(firstHalf, () => resolve())
    })
  }
  request.socket.destroy()
}

async function holdSecondHalf({ answer, next, switchedOff }: FaultContext): Promise<void> {
  const { body } = await holdAnswer(answer, next)
  answer.removeHeader('transfer-encoding')
  answer.setHeader('content-length', body.length)
  answer.write(body.subarray(0, body.length >> 1))
  await switchedOff
  // The client may have closed the connection.
  if (!answer.destroyed) answer.end(body.subarray(body.length >> 1))
}

async function dripAnswer(bytesPerSecond: number, { answer, next }: FaultContext): Promise<void> {
  const { body } = await holdAnswer(answer, next)
  answer.removeHeader('transfer-encoding')
  answer.setHeader('content-length', body.length)
  const startedAtMs = performance.now()
  for (let sentBytes = 0; sentBytes < body.length && !answer.destroyed; ) {
    await sleep(DRIP_TICK_MS)
    const dueBytes = Math.floor(((performance.now() - startedAtMs) / 1000) * bytesPerSecond)
    if (dueBytes > sentBytes) answer.write(body.subarray(sentBytes, dueBytes))
    sentBytes = Math.max(sentBytes, dueBytes)
  }
  answer.end()
}
