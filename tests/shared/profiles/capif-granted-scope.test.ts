/**
 * Scope that a CAPIF core grants. What a server said is told as the server's error, whatever it said; what a page said
 * as the page's.
 *
 * Seen to fail when `capifScopeWithin` parses the granted scope as it parses a parameter: `invalid_params`.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  grantedApis,
  isNorthkeyError,
  parseCapifScope,
  toProviderError,
} from '../../../shared/core/index.ts'
import { ERROR_CODE } from '../../../shared/messages/page-api.ts'

const asked = [{ resource: 'https://aef.example/api/v1', scope: '3gpp#aef-a:api' }]
const grantedBy = (scope: string) => grantedApis({ profile: 'capif' }, asked, scope)

function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('H15: a scope that does not follow the grammar of TS 29.222', () => {
  test.each(['3gpp#', '3gpp#aef-a', '3gpp#:api', '3gpp#aef-a:', '3gpp#aef-a:api;', '3gpp#a:b:c'])(
    '%j of a core is an invalid response (4300), and of a caller an invalid parameter (-32602)',
    (scope) => {
      expect(toProviderError(errorOf(() => grantedBy(scope)))).toMatchObject({
        code: ERROR_CODE.untrustedResponse,
        data: { error: 'invalid_response' },
      })
      expect(toProviderError(errorOf(() => parseCapifScope(scope)))).toMatchObject({
        code: ERROR_CODE.invalidParams,
      })
    },
  )

  test('no scope of a server is told as a parameter of the page', () => {
    const scope = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'3gp#;:, ae"') }).map((text) => `3gpp#${text}`),
    )
    fc.assert(
      fc.property(scope, (text) => {
        const error = errorOf(() => grantedBy(text))
        return error === undefined || (isNorthkeyError(error) && error.code === 'invalid_response')
      }),
    )
  })
})
