/** Reads the JSON body of a request to an API; another content type is a 415. */

import { bodyParser } from '@koa/bodyparser'
import type { Middleware } from 'koa'
import { Problem } from './problem-details.ts'

const JSON_TYPES = ['application/json', 'application/merge-patch+json']
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

export function jsonBody(): Middleware {
  const parse = bodyParser({
    enableTypes: ['json'],
    extendTypes: { json: JSON_TYPES },
    jsonLimit: '256kb',
  })
  return async (ctx, next) => {
    if (WITH_BODY.has(ctx.method) && !ctx.is(JSON_TYPES)) {
      throw new Problem(415, { detail: 'the request body must be JSON' })
    }
    await parse(ctx, next)
  }
}
