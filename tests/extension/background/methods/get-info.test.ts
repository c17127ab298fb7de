/**
 * Tests the redirect URI in `broker_getInfo`.
 *
 * Seen to fail when the redirect URI is there for every issuer that the broker knows (the origin of another page).
 */

import { createHash } from 'node:crypto'
import 'fake-indexeddb/auto'
import fake, { reportPolicyChange, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { expect, test, vi } from 'vitest'
import { getInfo } from '../../../../extension/background/methods/get-info.ts'
import { REDIRECT_BASE } from '../../../../extension/identity.ts'
import { ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'

const HASH = createHash('sha256').update(ISSUER).digest().subarray(0, 16).toString('base64url')
const REDIRECT_URI = `${REDIRECT_BASE.chromium}${HASH}`
const { applications: _, ...WITHOUT_APPLICATIONS } = OPERATOR

test.each([
  ['an issuer that knows this origin', [OPERATOR], ORIGIN, ISSUER, REDIRECT_URI],
  ['an issuer that knows another origin alone', [OPERATOR], 'https://b.example', ISSUER, undefined],
  ['an issuer that is not known', [], ORIGIN, ISSUER, undefined],
  ['another spelling of the issuer', [OPERATOR], ORIGIN, `${ISSUER}/`, undefined],
  [
    'an issuer that registers clients',
    [{ ...WITHOUT_APPLICATIONS, onboarding: 'dynamic' }],
    ORIGIN,
    ISSUER,
    REDIRECT_URI,
  ],
  [
    'an issuer that takes client documents, which name the redirect URI',
    [{ ...WITHOUT_APPLICATIONS, onboarding: 'client_id_metadata_document' }],
    ORIGIN,
    ISSUER,
    REDIRECT_URI,
  ],
  ['no issuer', [OPERATOR], ORIGIN, undefined, undefined],
])('H25f: the redirect URI for %s', async (_title, operators, origin, issuer, redirectUri) => {
  await storage.managed.set({ operators })
  reportPolicyChange()
  const info = await getInfo({ origin }, issuer === undefined ? undefined : { issuer })
  expect(info.redirectUri).toBe(redirectUri)
  expect(info.redirectUris).toEqual([REDIRECT_BASE.chromium])
})
