/** Mapping of errors to the `ProviderError` of a page. */

import { describe, expect, test } from 'vitest'
import {
  isNorthkeyError,
  NORTHKEY_ERROR_CODES,
  NorthkeyError,
  type NorthkeyErrorCode,
  toProviderError,
} from '../../../shared/core/index.ts'

/** The table of section 4 of the page contract, by the codes of the core. */
const CONTRACT: Record<NorthkeyErrorCode, [number, string]> = {
  access_denied: [4001, 'access_denied'],
  user_cancelled: [4001, 'access_denied'],
  aborted: [4901, 'network_error'],
  interaction_required: [4210, 'interaction_required'],
  insufficient_user_authentication: [4220, 'insufficient_user_authentication'],
  insufficient_scope: [4220, 'insufficient_scope'],
  invalid_token: [4310, 'invalid_token'],
  not_on_mobile_network: [4230, 'not_on_mobile_network'],
  rate_limited: [4290, 'rate_limited'],
  invalid_response: [4300, 'invalid_response'],
  issuer_mismatch: [4300, 'issuer_mismatch'],
  state_mismatch: [4300, 'state_mismatch'],
  token_type_mismatch: [4300, 'token_type_mismatch'],
  invalid_id_token: [4300, 'invalid_id_token'],
  invalid_metadata: [4300, 'invalid_response'],
  pkce_unsupported: [4300, 'invalid_response'],
  insecure_url: [4300, 'invalid_response'],
  authorization_server_error: [4310, 'server_error'],
  unsupported_by_server: [4310, 'unsupported_by_server'],
  network_error: [4901, 'network_error'],
  timeout: [4901, 'timeout'],
  flow_expired: [4901, 'timeout'],
  flow_interrupted: [4901, 'network_error'],
  key_mismatch: [4210, 'login_required'],
  invalid_params: [-32602, 'invalid_params'],
  no_grant: [4100, 'no_grant'],
  unsupported_method: [4200, 'unsupported_method'],
  already_pending: [-32002, 'already_pending'],
  forbidden_context: [-32600, 'forbidden_context'],
  broker_gone: [4900, 'broker_gone'],
  internal_error: [-32603, 'internal_error'],
}

describe('an error for a page (page contract section 4)', () => {
  test.each(NORTHKEY_ERROR_CODES)('%s has its number and its error', (code) => {
    const { code: number, data } = toProviderError(new NorthkeyError(code, 'a sentence'))
    expect([number, data.error]).toEqual(CONTRACT[code])
  })

  test("keeps the server's error if the server sent one", () => {
    const serverError = new NorthkeyError('authorization_server_error', 'x', {
      error: 'invalid_grant',
    })
    expect(toProviderError(serverError).data.error).toBe('invalid_grant')
    const interactionError = new NorthkeyError('interaction_required', 'x', {
      error: 'login_required',
    })
    expect(toProviderError(interactionError).data.error).toBe('login_required')
    const responseError = new NorthkeyError('invalid_response', 'x', { error: 'access_denied' })
    expect(toProviderError(responseError).data.error).toBe('invalid_response')
  })

  test('has status, retry time and description, and nothing of the cause', () => {
    const error = new NorthkeyError('rate_limited', 'x', {
      httpStatus: 429,
      retryAfterSeconds: 7,
      errorDescription: 'slow down',
      cause: new Error('secret'),
    })
    expect(toProviderError(error)).toEqual({
      code: 4290,
      message: 'x',
      data: {
        error: 'rate_limited',
        httpStatus: 429,
        retryAfterSeconds: 7,
        errorDescription: 'slow down',
      },
    })
  })

  test.each([new Error('secret'), 'secret', undefined, null, { code: 'timeout' }, 7])(
    'an error of another type is an internal error without its details: %j',
    (error) => {
      expect(toProviderError(error)).toEqual({
        code: -32603,
        message: 'a defect of the broker',
        data: { error: 'internal_error' },
      })
    },
  )
})

describe('an error at a border', () => {
  test('is a plain object, before and after serialization', () => {
    const error = new NorthkeyError('invalid_response', 'x', { httpStatus: 400, error: 'e' })
    const object = JSON.parse(JSON.stringify(error))
    expect(isNorthkeyError(object)).toBe(true)
    expect(isNorthkeyError(structuredClone(error.toJSON()))).toBe(true)
    expect(NorthkeyError.from(object).toJSON()).toEqual(error.toJSON())
    expect(toProviderError(object)).toEqual(toProviderError(error))
  })

  test('is recognized by its fields, and another error is not', () => {
    expect(isNorthkeyError(new Error('x'))).toBe(false)
    expect(isNorthkeyError({ name: 'NorthkeyError', code: 'made_up' })).toBe(false)
  })

  test("keeps the characters of a server's text that RFC 6749 section 5.2 allows", () => {
    const error = new NorthkeyError('authorization_server_error', 'x', {
      error: 'bad\nword',
      errorDescription: 'line\nbreak "quoted" \u202ebidi',
    })
    expect(error.error).toBeUndefined()
    expect(error.errorDescription).toBe("line?break 'quoted' ?bidi")
  })
})
