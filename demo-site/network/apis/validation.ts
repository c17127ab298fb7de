/** Judges request bodies by JSON Schema, and says which member is wrong without repeating its value. */

import { Ajv, type ErrorObject, type JSONSchemaType, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { type InvalidParam, Problem } from './problem-details.ts'

const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)

export function compileSchema<T>(schema: JSONSchemaType<T> | object): ValidateFunction<T> {
  return ajv.compile<T>(schema)
}

/** The body as its type, or a 400 that names every member that is not as it should be. */
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
