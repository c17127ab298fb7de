/**
 * What a waived consent covers: the first grant as the operator's profile declares it, and no widening.
 *
 * Seen to fail when `requireConsent: false` alone approves the request, as it did before there was
 * `consentWaiver`; and for each condition of `decideConsent` that is left out.
 */

import 'fake-indexeddb/auto'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import {
  decideConsent,
  type GrantRequest,
  type WaivedApplication,
} from '../../../../extension/background/authorization/consent-waiver.ts'
import { grantRecord } from '../../support/operator.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

const A = { resource: 'https://a.example', scope: 'read write', purpose: 'dpv:Marketing' }
const B = { resource: 'https://b.example', scope: 'read' }
const WAIVED: WaivedApplication = {
  clientId: 'client',
  requireConsent: false,
  consentWaiver: { apis: [A, B] },
}
const { consentWaiver: _waiver, ...WITHOUT_WAIVER } = WAIVED
const { requireConsent: _require, ...WITHOUT_REQUIRE } = WAIVED
const TOKEN_ALONE: WaivedApplication = {
  ...WAIVED,
  consentWaiver: { modes: ['token'], apis: [A] },
}
const SCOPELESS: WaivedApplication = {
  ...WAIVED,
  consentWaiver: { apis: [{ resource: B.resource }] },
}
const DAY = { lifetime: 'day' }

const request = (more: Partial<GrantRequest> = {}): GrantRequest => ({
  apis: [{ ...A, scope: 'read' }],
  mode: 'fetch',
  ...more,
})
const grant = (more: Parameters<typeof grantRecord>[0] = {}) =>
  grantRecord({ mode: 'fetch', apis: [A], ...more })

describe('A03: the first grant', () => {
  test.each<[string, boolean, Partial<GrantRequest>, WaivedApplication?]>([
    ['a part of what is declared', true, {}],
    ['all that is declared', true, { apis: [A, B] }],
    ['another mode', false, { mode: 'token' }],
    ['a mode that is declared', true, { mode: 'token' }, TOKEN_ALONE],
    ['fetch where token alone is declared', false, {}, TOKEN_ALONE],
    ['more scope', false, { apis: [{ ...A, scope: 'read delete' }] }],
    ['H21: no scope where none is declared', true, { apis: [{ ...B, scope: '' }] }, SCOPELESS],
    ['H21: a scope where none is declared', false, { apis: [B] }, SCOPELESS],
    ['another API', false, { apis: [A, { ...A, resource: 'https://c.example' }] }],
    ['another purpose', false, { apis: [{ ...A, purpose: 'dpv:Advertising' }] }],
    [
      'no purpose where one is declared',
      false,
      { apis: [{ resource: A.resource, scope: 'read' }] },
    ],
    ['a purpose where none is declared', false, { apis: [{ ...B, purpose: 'dpv:Marketing' }] }],
    ['requireConsent: true', false, {}, { ...WAIVED, requireConsent: true }],
    ['requireConsent: false without a waiver', false, {}, WITHOUT_WAIVER],
    ['no requireConsent', false, {}, WITHOUT_REQUIRE],
  ])('%s: waived %j', (_, isWaived, wanted, application = WAIVED) => {
    const { apis } = request(wanted)
    expect(decideConsent(application, request(wanted), [])).toEqual(
      isWaived ? { apis, ...DAY } : 'ask',
    )
  })
})

describe('A03: beside a grant of the origin at the operator', () => {
  const all = {
    ...WAIVED,
    consentWaiver: { modes: ['fetch' as const, 'token' as const], apis: [A, B] },
  }

  test.each<[string, boolean, Partial<GrantRequest>, Parameters<typeof grantRecord>[0]?]>([
    ['the same again', true, { apis: [A] }],
    ['less scope', true, {}],
    ['the smaller mode', true, {}, { mode: 'token' }],
    ['a wider mode', false, { mode: 'token' }],
    ['more scope', false, { apis: [A] }, { apis: [{ ...A, scope: 'read' }] }],
    ['one more API', false, { apis: [A, B] }],
    ['another API', false, { apis: [B] }],
    ['another application', false, {}, { clientId: 'other' }],
  ])('%s: waived %j', (_, isWaived, wanted, former) => {
    const decision = decideConsent(all, request(wanted), [grant(former)])
    expect(decision === 'ask').toBe(!isWaived)
  })

  test('a waived grant does not last longer than the grant that the user gave', () => {
    const once = grant({ lifetime: 'once', expiresAt: 1_000 })
    const session = grant({ lifetime: 'session', expiresAt: 2_000 })
    const wider = grant({ lifetime: 'month', expiresAt: 3_000, apis: [B] })
    expect(decideConsent(all, request(), [once, session, wider])).toEqual({
      apis: request().apis,
      lifetime: 'session',
      expiresAt: 2_000,
    })
  })

  test('no request is waived that is not declared, whatever grants there are', () => {
    const word = fc.constantFrom('read', 'write', 'delete')
    const api = fc.record({
      resource: fc.constantFrom(A.resource, B.resource, 'https://c.example'),
      scope: fc.uniqueArray(word, { minLength: 1 }).map((words) => words.join(' ')),
    })
    const apis = fc.array(api, { minLength: 1, maxLength: 3 })
    const mode = fc.constantFrom('fetch' as const, 'token' as const)
    const given = fc.array(fc.record({ apis, mode }), { maxLength: 3 })
    const grants = given.map((list) => list.map((members) => grant(members)))
    fc.assert(
      fc.property(apis, mode, grants, (wanted, wantedMode, existing) => {
        const declared = { ...WAIVED, consentWaiver: { apis: [{ ...B, scope: 'read write' }] } }
        const decision = decideConsent(declared, { apis: wanted, mode: wantedMode }, existing)
        if (decision === 'ask') return
        expect(wantedMode).toBe('fetch')
        for (const { resource, scope } of decision.apis) {
          expect(resource).toBe(B.resource)
          expect(scope).not.toContain('delete')
        }
      }),
    )
  })
})
