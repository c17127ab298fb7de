/**
 * The `scope` of a refresh request.
 *
 * Seen to fail when each refresh names the scope that is wanted, without `offline_access` (H09).
 * @see RFC 6749 section 6
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refreshTokens } from '../../../shared/core/index.ts'
import { refreshScope } from '../../../shared/core/refresh-scope.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { CLIENT_ID, METADATA, SERVER, TOKEN_ENDPOINT, TOKEN_RESPONSE } from '../support/fixtures.ts'

const words = (scope: string) => scope.split(' ').filter((word) => word !== '')

describe('H09: the scope of a refresh', () => {
  const apis = [{ scope: 'qos qos:write' }, { scope: 'location' }]
  test.each([
    // wanted, granted, APIs of the grant, named
    [undefined, 'qos offline_access', undefined, undefined],
    ['qos', 'qos', undefined, undefined],
    ['qos', 'openid qos offline_access', undefined, undefined],
    ['qos', 'openid qos email offline_access', [{ scope: 'qos' }], undefined],
    ['', '', [{ scope: '' }], undefined],
    ['qos', 'qos qos:write', undefined, 'qos'],
    ['qos', 'qos location offline_access', undefined, 'qos offline_access'],
    [
      'location',
      'openid qos qos:write location email offline_access',
      apis,
      'openid location email offline_access',
    ],
    ['location qos qos:write', 'qos qos:write location', apis, undefined],
    ['qos', 'qos dpv:X location', [{ scope: 'qos' }, { scope: 'location' }], 'qos dpv:X'],
    ['qos', undefined, undefined, 'qos'],
  ])('wanted %j of %j with the APIs %j: named %j', (scope, grantedScope, ofApis, named) => {
    expect(refreshScope({ scope, grantedScope, apis: ofApis })).toBe(named)
  })

  test('a scope beyond the grant is an error, and nothing is sent', async () => {
    const network = closedNetwork()
    const wider = { scope: 'qos admin', grantedScope: 'qos' }
    const held = { server: SERVER, metadata: METADATA, clientId: CLIENT_ID, refreshToken: 'r' }
    expect((await failure(refreshTokens({ ...held, ...wider }, network))).code).toBe(
      'invalid_params',
    )
    expect(network.sent).toHaveLength(0)
  })

  test('that is not named is the granted scope in a response without scope', async () => {
    const { scope: _, ...silent } = TOKEN_RESPONSE
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(silent))
    const wanted = { scope: 'qos', grantedScope: 'qos offline_access' }
    const held = { server: SERVER, metadata: METADATA, clientId: CLIENT_ID, refreshToken: 'r' }
    expect((await refreshTokens({ ...held, ...wanted }, network)).scope).toBe(wanted.grantedScope)
    expect(network.sent[0]?.form.has('scope')).toBe(false)
  })

  test('leaves out scopes of APIs alone, and never one that is wanted', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd', 'openid', 'offline_access', 'email')
    const subset = (from: string[]) => fc.subarray(from)
    const grants = fc.uniqueArray(word, { minLength: 1 }).chain((granted) =>
      fc.record({
        granted: fc.constant(granted),
        ofApis: subset(granted),
        wanted: subset(granted),
      }),
    )
    fc.assert(
      fc.property(grants, ({ granted, ofApis, wanted }) => {
        const named = refreshScope({
          scope: wanted.join(' '),
          grantedScope: granted.join(' '),
          apis: [{ scope: ofApis.join(' ') }],
        })
        const isWhole = ofApis.every((one) => wanted.includes(one))
        if (isWhole) return named === undefined
        const kept = words(named ?? '')
        return granted.every(
          (one) => kept.includes(one) === (wanted.includes(one) || !ofApis.includes(one)),
        )
      }),
    )
  })
})
