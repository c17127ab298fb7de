/** Parses JSON request bodies of the APIs. Another content type is answered with 415. */

import type { Middleware } from 'koa'
import type { RecordedRequest } from '../http/recorded-request.ts'
import { Problem } from './problem-details.ts'

const JSON_TYPES = ['application/json', 'application/merge-patch+json']
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])
const LIMIT_BYTES = 256 * 1024

export function parseJsonBody(): Middleware {
  return async (ctx, next) => {
    if (METHODS_WITH_BODY.has(ctx.method)) {
      const body = await (ctx.req as RecordedRequest).readBody()
      if (body.length > LIMIT_BYTES) throw new Problem(413)
      if (body.length > 0 && !ctx.is(JSON_TYPES)) {
        throw new Problem(415, { detail: 'the request body must be JSON' })
      }
      ctx.request.body = parseJson(body.toString('utf8'))
    }
    await next()
  }
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, { cause: 'INVALID_MSG_FORMAT', detail: 'the request body is not JSON' })
  }
}
