/**
 * Formats errors of the T8 and CAPIF APIs as `ProblemDetails`.
 * @see TS 29.122 clause 5.2.6, TS 29.571 clause 5.2.4.1, RFC 9457
 */

import type { Context, Middleware } from 'koa'
import { AccessTokenError } from './access-token-error.ts'

export interface InvalidParam {
  param: string
  reason: string
}

export interface ProblemDetails {
  type?: string
  title?: string
  status: number
  detail?: string
  instance?: string
  cause?: string
  invalidParams?: InvalidParam[]
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  411: 'Length Required',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Error of a handler, which `handleProblems` answers as `application/problem+json`. */
export class Problem extends Error {
  readonly details: ProblemDetails
  readonly headers: Record<string, string>

  constructor(
    status: number,
    details: Omit<ProblemDetails, 'status' | 'title'> = {},
    headers: Record<string, string> = {},
  ) {
    super(details.detail ?? TITLES[status] ?? 'Error')
    this.details = { title: TITLES[status] ?? 'Error', status, ...details }
    this.headers = headers
  }
}

/** Creates middleware that answers every error of a handler. An unexpected error is answered without details. */
export function handleProblems(): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined) throw new Problem(404)
      if (ctx.status === 405 || ctx.status === 501) {
        throw new Problem(405, {}, { Allow: ctx.response.get('Allow') })
      }
    } catch (error) {
      sendProblem(ctx, toProblem(error))
    }
  }
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof AccessTokenError) {
    const cause = error.code === undefined ? {} : { cause: error.code }
    return new Problem(error.status, { detail: error.message, ...cause }, error.headers)
  }
  return new Problem(readStatus(error))
}

export function sendProblem(ctx: Context, problem: Problem): void {
  ctx.status = problem.details.status
  ctx.set(problem.headers)
  ctx.body = JSON.stringify(problem.details)
  ctx.type = 'application/problem+json'
}

/** Reads the status of an error that a parser of the framework throws for a malformed body. */
function readStatus(error: unknown): number {
  const status = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : 0
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
