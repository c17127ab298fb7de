/**
 * Validates the parameters of a page's call before any other code reads them. The schemas are those of
 * the page contract (`docs/page-api.md`). A value that the core puts into a request is judged by the core's own
 * grammar, so that nothing passes here, is shown to the user, and fails afterwards. An unknown member is an error, so that a page cannot smuggle
 * a parameter into an authorization request.
 */

import * as v from 'valibot'
import type { ProviderMethod, ProviderMethods } from '../../../shared/messages/page-api.ts'
import { isPlain } from '../../../shared/messages/plain-data.ts'
import { isReadableText, READABLE_TEXT } from '../../../shared/messages/readable-text.ts'
import {
  isClientId,
  isDpopNonce,
  isLoginHint,
  LOGIN_HINT,
} from '../../../shared/oauth/opaque-values.ts'
import { isScope, SCOPE_LIMIT } from '../../../shared/oauth/scope.ts'
import { MAX_BODY_BYTES } from '../api-calls/body-limit.ts'
import { invalidParams } from '../platform/broker-error.ts'

const MAX_TEXT = 2_048
/** Longer than any token that a request can carry: servers limit the header to some kilobytes. */
const MAX_TOKEN = 65_536

const text = (name: string, max = MAX_TEXT) =>
  v.pipe(
    v.string(`${name}: expected a string`),
    v.nonEmpty(`${name}: expected a string that is not empty`),
    v.maxLength(max, `${name}: expected at most ${max} characters`),
  )

/** Text that the user reads in the consent window. */
const readable = (name: string, max: number) =>
  v.pipe(text(name, max), v.check(isReadableText, `${name}: expected ${READABLE_TEXT}`))

const url = (name: string) =>
  v.pipe(
    text(name),
    v.check((value) => URL.canParse(value), `${name}: expected an absolute URL`),
  )

/** The grammar of the core for a value. */
const follows = (isValid: (value: unknown) => boolean, message: string) =>
  v.check((value: string) => isValid(value), message)

/**
 * A scope is optional. An empty string stands for none: a grant has it where the server stated no scope, and the page
 * may name what it has been given.
 *
 * @see RFC 6749 section 3.3 and appendix A.4
 */
const scope = (name: string) =>
  v.optional(
    v.pipe(
      v.string(`${name}: expected a string`),
      v.maxLength(SCOPE_LIMIT, `${name}: expected at most ${SCOPE_LIMIT} characters`),
      follows(
        (value) => value === '' || isScope(value),
        `${name}: expected a scope string (RFC 6749 section 3.3)`,
      ),
    ),
  )

/** An access token that the broker gave the page. It is as long as the server made it. */
const accessToken = (name: string) => text(name, MAX_TOKEN)

const purpose = (name: string) =>
  v.pipe(text(name, 80), v.regex(/^dpv:[A-Za-z]+$/, `${name}: expected a DPV term, as in dpv:X`))

const choice = <const T extends string[]>(name: string, values: T) =>
  v.picklist(values, `${name}: expected one of ${values.join(', ')}`)

/** An object without unknown members. `checkParams` adds the name of the member to the message. */
const object = <T extends v.ObjectEntries>(entries: T) =>
  v.strictObject(entries, (issue) =>
    issue.expected === 'never'
      ? 'unknown member, expected none of this name'
      : issue.received === 'undefined'
        ? 'missing, expected to be there'
        : 'expected an object',
  )

const body = v.union(
  [
    v.pipe(v.string(), v.maxLength(MAX_BODY_BYTES)),
    v.pipe(
      v.instance(ArrayBuffer),
      v.check((value) => value.byteLength <= MAX_BODY_BYTES),
    ),
  ],
  'body: expected a string or an ArrayBuffer of at most 5 MiB',
)

const interactive = v.optional(choice('interactive', ['never', 'ifNeeded']))
const grantId = v.optional(text('grantId', 64))

const noParams = v.optional(object({}))

/** @see RFC 9110 section 5.1 and 5.5 */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headers = v.record(
  v.pipe(v.string(), v.regex(HEADER_NAME, 'headers: expected header names (RFC 9110 section 5.1)')),
  v.pipe(
    v.string('headers: expected string values'),
    v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'headers: expected values without control characters'),
    v.maxLength(8_192, 'headers: expected values of at most 8192 characters'),
  ),
  'headers: expected an object of strings',
)

const schemas = {
  broker_getInfo: v.optional(object({ issuer: v.optional(url('issuer')) })),
  northbound_connect: object({
    issuer: url('issuer'),
    apis: v.pipe(
      v.array(
        object({
          resource: url('apis.resource'),
          scope: scope('apis.scope'),
          purpose: v.optional(purpose('apis.purpose')),
        }),
        'apis: expected an array of { resource, scope?, purpose? }',
      ),
      v.minLength(1, 'apis: expected at least one API'),
      v.maxLength(16, 'apis: expected at most 16 APIs'),
    ),
    mode: v.optional(choice('mode', ['fetch', 'token'])),
    clientId: v.optional(
      v.pipe(
        text('clientId'),
        follows(isClientId, 'clientId: expected printable ASCII (RFC 6749 appendix A.1)'),
      ),
    ),
    reason: v.optional(readable('reason', 200)),
    loginHint: v.optional(
      v.pipe(text('loginHint', 256), follows(isLoginHint, `loginHint: expected ${LOGIN_HINT}`)),
    ),
  }),
  northbound_getGrants: noParams,
  northbound_getAccessToken: v.optional(
    object({
      grantId,
      resource: v.optional(url('resource')),
      scope: scope('scope'),
      interactive,
      minValiditySeconds: v.optional(
        v.pipe(
          v.number('minValiditySeconds: expected a number of seconds'),
          v.minValue(0, 'minValiditySeconds: expected 0 to 86400'),
          v.maxValue(86_400, 'minValiditySeconds: expected 0 to 86400'),
        ),
      ),
      refused: v.optional(accessToken('refused')),
    }),
    {},
  ),
  northbound_fetch: object({
    url: url('url'),
    method: v.optional(text('method', 16)),
    headers: v.optional(headers),
    body: v.optional(body),
    grantId,
    interactive,
  }),
  northbound_createProof: object({
    grantId: text('grantId', 64),
    htm: v.pipe(text('htm', 16), v.regex(/^[A-Z]+$/, 'htm: expected an HTTP method')),
    htu: url('htu'),
    body: v.optional(body),
    query: v.optional(v.pipe(v.string('query: expected a string'), v.maxLength(8_192))),
    accessToken: v.optional(accessToken('accessToken')),
    nonce: v.optional(
      v.pipe(
        v.string('nonce: expected a string'),
        follows(isDpopNonce, 'nonce: expected a nonce (RFC 9449 section 8.1)'),
      ),
    ),
  }),
  northbound_revoke: v.optional(object({ grantId }), {}),
} satisfies Record<ProviderMethod, v.GenericSchema>

/** Parameters that have been checked. Where a page may omit them, they are an empty object. */
export type CheckedParams<M extends ProviderMethod> = NonNullable<ProviderMethods[M]['params']>

export function isProviderMethod(method: string): method is ProviderMethod {
  return Object.hasOwn(schemas, method)
}

/**
 * Checks what the schemas do not: an array in place of an object, members that every object inherits.
 */
function requirePlain(params: unknown): void {
  if (!isPlain(params)) throw invalidParams('params: expected plain data')
  if (Array.isArray(params)) throw invalidParams('params: expected an object')
  // `decodeRequest` leaves a string where the parameters in a deduplication key are too long to be parsed.
  if (typeof params === 'string') {
    throw invalidParams('params: expected an object, and at most 100,000 characters of text in it')
  }
  if (typeof params !== 'object' || params === null) return
  if (Object.keys(params).some((name) => name in Object.prototype)) {
    throw invalidParams('params: unknown member')
  }
}

/** A name of a parameter that an error message may contain. Any other name is left out. */
const NAME = /^[\w.]{1,64}$/

/**
 * @throws BrokerError `invalid_params` that names the parameter and the expectation, never the value.
 */
export function checkParams<M extends ProviderMethod>(
  method: M,
  params: unknown,
): CheckedParams<M> {
  requirePlain(params)
  const checked = v.safeParse(schemas[method], params, { abortEarly: true })
  if (checked.success) return checked.output as CheckedParams<M>
  const [issue] = checked.issues
  const { message } = issue
  if (/^[\w.]+: /.test(message)) throw invalidParams(message)
  // The index in an array is left out, as in the other messages.
  const path = (v.getDotPath(issue) ?? '').replaceAll(/\.\d+(?=\.|$)/g, '')
  throw invalidParams(`${NAME.test(path) ? path : 'params'}: ${message}`)
}
