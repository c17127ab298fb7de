/** Types and JSON Schema of fault rules: the action, the requests that it applies to, and how often. */

import { compileSchema } from '../apis/validation.ts'

export type FaultAction =
  /** Delays the request. */
  | { type: 'delay'; ms: number }
  /** Never answers. */
  | { type: 'hang' }
  /**
   * Holds the request, before it is processed, before it is answered, or before the second half of the answer's body,
   * until the fault is switched off.
   */
  | { type: 'hold'; before: 'processing' | 'answering' | 'second-half' }
  /** Closes the connection: before or after reading, after processing, or in the middle of the answer. */
  | { type: 'drop'; when: 'before-reading' | 'after-reading' | 'after-processing' | 'mid-body' }
  /** Limits the rate of the answer. */
  | { type: 'drip'; bytesPerSecond: number }
  /** Answers with this status instead of processing the request. */
  | { type: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** Sets headers of the answer; `null` removes a header. */
  | { type: 'header'; headers: Record<string, string | null> }
  /** Replaces the body of the answer. */
  | { type: 'body'; body: string; contentType?: string }
  /** Redirects instead of processing the request. */
  | { type: 'redirect'; location: string; status?: 301 | 302 | 303 | 307 | 308 }
  /** Shifts the clock of the server. */
  | { type: 'clock'; seconds: number }
  /** Replaces the issuer in authorization responses and metadata; `null` removes it. */
  | { type: 'issuer'; issuer: string | null }
  /** Rotates the signing key of the issuer before the request is processed. */
  | { type: 'rotate-keys' }

export interface FaultRule {
  /** Name of the server. Default: any. */
  server?: string
  method?: string
  /** Exact path; `*` matches any characters. */
  path?: string
  /** Applies to the n-th matching request only, counted from 1. */
  nth?: number
  /** Applies to every n-th matching request. */
  every?: number
  /** Maximum number of requests that it applies to. */
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
      description: 'Name of the server. Default: any.',
    },
    method: { type: 'string', pattern: '^[A-Z]+$' },
    path: {
      type: 'string',
      pattern: '^[/*]',
      description: 'Exact path; * matches any characters.',
    },
    nth: { type: 'integer', minimum: 1, description: 'Applies to the n-th matching request only.' },
    every: { type: 'integer', minimum: 1, description: 'Applies to every n-th matching request.' },
    times: {
      type: 'integer',
      minimum: 1,
      description: 'Maximum number of requests that it applies to.',
    },
    action: {
      oneOf: [
        createActionSchema('delay', ['ms'], {
          ms: { type: 'integer', minimum: 0, maximum: 600_000 },
        }),
        createActionSchema('hang', []),
        createActionSchema('hold', ['before'], {
          before: { enum: ['processing', 'answering', 'second-half'] },
        }),
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
