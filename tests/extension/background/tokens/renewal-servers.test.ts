/**
 * Renewal with metadata that were stored before the profile changed: a refresh token goes only to a server that the
 * profile names today. Else the broker asks the operator anew, without a window.
 *
 * Seen to fail when a refresh token is sent to the token endpoint of the stored metadata in any case.
 */

import 'fake-indexeddb/auto'
import { expect, test, vi } from 'vitest'
import type { IdTokenClaims } from '../../../../shared/core/index.ts'
import { A, authorized, grantRecord, METADATA, OPERATOR } from '../../support/operator.ts'

const renewals = vi.hoisted(() => ({ refreshed: 0, silent: 0 }))

vi.stubGlobal('navigator', { onLine: true })
vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => OPERATOR,
}))
vi.mock(
  '../../../../extension/background/authorization/silent-authorization.ts',
  async (original) => ({
    ...(await original<object>()),
    async authorizeSilently() {
      renewals.silent += 1
      return authorized({ subject: 'alice' })
    },
  }),
)
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  async refreshTokens() {
    renewals.refreshed += 1
    return authorized({ subject: 'alice' }).tokens
  },
}))

const { obtainAccessToken } = await import(
  '../../../../extension/background/tokens/token-renewal.ts'
)
const { computeSubjectHandle } = await import(
  '../../../../extension/background/grants/subject-handle.ts'
)
const { saveTokens } = await import('../../../../extension/background/grants/token-records.ts')

test.each([
  ['that the profile names', METADATA.token_endpoint, { refreshed: 1, silent: 0 }],
  ['that it does not name', 'https://evil.example/token', { refreshed: 0, silent: 1 }],
])(
  'A01: a refresh token and a token endpoint on a server %s',
  async (_, token_endpoint, expected) => {
    Object.assign(renewals, { refreshed: 0, silent: 0 })
    const named = grantRecord({ subscriber: 'identified' })
    const subject = await computeSubjectHandle(named.issuer, 'alice', named.origin)
    const grant = { ...named, subject }
    const idTokenClaims = { iss: grant.issuer, sub: 'alice' } as IdTokenClaims
    const signedIn = { subject: 'alice', idTokenClaims }
    const { tokens } = authorized({ ...signedIn, refreshToken: 'refresh', expiresAtMs: 0 })
    const metadata = { ...METADATA, ...(token_endpoint !== undefined && { token_endpoint }) }
    await saveTokens(grant, crypto.randomUUID(), A.resource, { tokens, metadata })
    await obtainAccessToken(grant, A.resource)
    expect(renewals).toEqual(expected)
  },
)
