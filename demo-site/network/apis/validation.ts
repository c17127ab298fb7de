/** Validates request bodies by JSON Schema. An error names the member, and does not repeat its value. */

import { Ajv, type ErrorObject, type JSONSchemaType, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { type InvalidParam, Problem } from './problem-details.ts'

const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)

export function compileSchema<T>(schema: JSONSchemaType<T> | object): ValidateFunction<T> {
  return ajv.compile<T>(schema)
}

/** Returns the body as its type. @throws Problem 400 that names every invalid member. */
export function validateBody<T>(validate: ValidateFunction<T>, body: unknown): T {
  if (validate(body)) return body
  throw new Problem(400, {
    cause: 'INVALID_MSG_FORMAT',
    detail: 'the request body does not have the expected form',
    invalidParams: describeInvalidParams(validate.errors ?? []),
  })
}

export function describeInvalidParams(errors: readonly ErrorObject[]): InvalidParam[] {
  return errors.map(({ instancePath, keyword, params, message }) => {
    const missing = keyword === 'required' ? `/${String(params.missingProperty)}` : ''
    return { param: `${instancePath}${missing}` || '/', reason: message ?? keyword }
  })
}
