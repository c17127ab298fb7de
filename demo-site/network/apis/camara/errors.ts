/**
 * Formats errors of the CAMARA APIs as `ErrorInfo`, and adds `x-correlator` to every answer. A request whose
 * `x-correlator` does not match the pattern of CAMARA is rejected.
 * @see CAMARA API Design Guide, error responses and x-correlator
 */

import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import { AccessTokenError } from '../access-token-error.ts'
import { Problem } from '../problem-details.ts'

/** Error of a handler, which `handleCamaraErrors` answers as `ErrorInfo`. */
export class CamaraError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
}

/** The pattern of `XCorrelator` in the CAMARA commons. */
const CORRELATOR = /^[a-zA-Z0-9-_:;./<>{}]{0,256}$/

/** Creates middleware that answers every error of a handler as `ErrorInfo`. */
export function handleCamaraErrors(): Middleware {
  return async (ctx, next) => {
    const correlator = ctx.get('x-correlator')
    const isValid = CORRELATOR.test(correlator)
    ctx.set('x-correlator', isValid && correlator !== '' ? correlator : randomUUID())
    try {
      if (!isValid) {
        throw new CamaraError(400, 'INVALID_ARGUMENT', 'x-correlator does not match its pattern.')
      }
      await next()
    } catch (error) {
      const { status, code, message } = toErrorInfo(error)
      if (error instanceof AccessTokenError || error instanceof Problem) ctx.set(error.headers)
      ctx.status = status
      ctx.type = 'json'
      ctx.body = { status, code, message }
    }
  }
}

function toErrorInfo(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof CamaraError) return error
  if (error instanceof AccessTokenError) return createErrorInfo(error.status, error.message)
  if (error instanceof Problem) {
    const { status, detail, invalidParams = [] } = error.details
    const members = invalidParams.map(({ param, reason }) => `${param} ${reason}`).join('; ')
    return createErrorInfo(status, [detail, members].filter(Boolean).join(': '))
  }
  return { status: 500, code: 'INTERNAL', message: 'Something went wrong on our side.' }
}

function createErrorInfo(status: number, message: string | undefined) {
  return { status, code: CODES[status] ?? 'INVALID_ARGUMENT', message: message ?? 'refused' }
}

/** Rejects a body that names a device: a three-legged token identifies the subscriber already. */
export function rejectDeviceMember(body: unknown): void {
  if (Reflect.get(Object(body), 'device') === undefined) return
  throw new CamaraError(
    422,
    'UNNECESSARY_IDENTIFIER',
    'The device is already identified by the access token.',
  )
}
