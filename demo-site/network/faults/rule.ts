/** What goes wrong, where, and how often: the rules of the fault layer, and their JSON Schema. */

import { compileSchema } from '../apis/validation.ts'

export type FaultAction =
  /** Answers later. */
  | { type: 'delay'; ms: number }
  /** Never answers. */
  | { type: 'hang' }
  /** Stands still, not carried out yet or with the answer ready, until the fault is switched off. */
  | { type: 'hold'; before: 'processing' | 'answering' }
  /** Closes the connection: unread, read, carried out but unanswered, or in the middle of the answer. */
  | { type: 'drop'; when: 'before-reading' | 'after-reading' | 'after-processing' | 'mid-body' }
  /** Answers so many bytes a second. */
  | { type: 'drip'; bytesPerSecond: number }
  /** Answers this status instead of doing anything. */
  | { type: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** Changes the headers of the answer; `null` takes one away. */
  | { type: 'header'; headers: Record<string, string | null> }
  /** Changes the body of the answer. */
  | { type: 'body'; body: string; contentType?: string }
  /** Redirects instead of doing anything. */
  | { type: 'redirect'; location: string; status?: 301 | 302 | 303 | 307 | 308 }
  /** The server's clock goes wrong by so many seconds. */
  | { type: 'clock'; seconds: number }
  /** Another issuer in authorization responses and metadata; `null` leaves it out. */
  | { type: 'issuer'; issuer: string | null }
  /** The issuer takes a new signing key first. */
  | { type: 'rotate-keys' }

export interface FaultRule {
  /** Name of the server; any without it. */
  server?: string
  method?: string
  /** Exact path; `*` stands for anything. */
  path?: string
  /** The n-th request that matches, counted from 1. */
  nth?: number
  /** Each n-th request that matches. */
  every?: number
  /** How many requests it happens to at most. */
  times?: number
  action: FaultAction
}

const headerValue = { type: 'string', maxLength: 4096 } as const

function createActionSchema(
  type: FaultAction['type'],
  required: string[],
  properties: object = {},
) {
  return {
    type: 'object',
    required: ['type', ...required],
    additionalProperties: false,
    properties: { type: { const: type }, ...properties },
  }
}

export const FAULT_RULE_SCHEMA = {
  type: 'object',
  required: ['action'],
  additionalProperties: false,
  properties: {
    server: {
      enum: ['authorization-function', 'api-exposing-functions', 'user-plane'],
      description: 'Name of the server; any without it.',
    },
    method: { type: 'string', pattern: '^[A-Z]+$' },
    path: { type: 'string', pattern: '^[/*]', description: 'Exact path; * stands for anything.' },
    nth: { type: 'integer', minimum: 1, description: 'The n-th request that matches.' },
    every: { type: 'integer', minimum: 1, description: 'Each n-th request that matches.' },
    times: { type: 'integer', minimum: 1, description: 'To how many requests at most.' },
    action: {
      oneOf: [
        createActionSchema('delay', ['ms'], {
          ms: { type: 'integer', minimum: 0, maximum: 600_000 },
        }),
        createActionSchema('hang', []),
        createActionSchema('hold', ['before'], { before: { enum: ['processing', 'answering'] } }),
        createActionSchema('drop', ['when'], {
          when: { enum: ['before-reading', 'after-reading', 'after-processing', 'mid-body'] },
        }),
        createActionSchema('drip', ['bytesPerSecond'], {
          bytesPerSecond: { type: 'number', exclusiveMinimum: 0 },
        }),
        createActionSchema('status', ['status'], {
          status: { type: 'integer', minimum: 200, maximum: 599 },
          headers: { type: 'object', additionalProperties: headerValue },
          body: { type: 'string' },
        }),
        createActionSchema('header', ['headers'], {
          headers: {
            type: 'object',
            additionalProperties: { anyOf: [headerValue, { type: 'null' }] },
          },
        }),
        createActionSchema('body', ['body'], {
          body: { type: 'string' },
          contentType: headerValue,
        }),
        createActionSchema('redirect', ['location'], {
          location: { type: 'string', minLength: 1 },
          status: { enum: [301, 302, 303, 307, 308] },
        }),
        createActionSchema('clock', ['seconds'], { seconds: { type: 'integer' } }),
        createActionSchema('issuer', ['issuer'], {
          issuer: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        }),
        createActionSchema('rotate-keys', []),
      ],
    },
  },
} as const

export const validateFaultRule = compileSchema<FaultRule>(FAULT_RULE_SCHEMA)
