/**
 * Tests section 4 of the contract: errors that are caused by the request itself, by the number of requests,
 * or by a defect of the broker.
 *
 * Seen to fail when:
 * - 4200 has another number;
 * - `internal_error` has the message of the thrown error;
 * - proofs are not counted;
 * - `invalid_params` names `params` and not the member;
 * - parameters that are not plain data are not detected, or end the other calls of their task.
 */

import { describe, expect } from 'vitest'
import type { ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import { test } from '../fixtures.ts'
import { putRecord } from '../support/databases.ts'
import { expectError } from '../support/shapes.ts'
import { type Called, call, openScreen, type Stage } from '../support/stage.ts'

describe('a call with a method or parameters that the contract does not have', () => {
  test('4200 unsupported_method: no such method', async ({ page }) => {
    for (const method of ['northbound_nothing', 'eth_accounts', 'toString']) {
      expectError(await call(page, method), 4200, 'unsupported_method')
    }
  })

  const wrong: [method: string, params: (stage: Stage) => object, named: string][] = [
    ['broker_getInfo', () => ({ verbose: true }), 'verbose'],
    ['northbound_connect', () => ({ apis: [] }), 'issuer'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), issuer: 7 }), 'issuer'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), apis: 'all' }), 'apis'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), mode: 'both' }), 'mode'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), client_id: 'x' }), 'client_id'],
    ['northbound_getAccessToken', () => ({ minValiditySeconds: '60' }), 'minValiditySeconds'],
    ['northbound_getAccessToken', () => ({ interactive: true }), 'interactive'],
    ['northbound_fetch', () => ({ url: '/relative' }), 'url'],
    ['northbound_fetch', ({ network }) => ({ url: network.apisOrigin, body: 7 }), 'body'],
    ['northbound_createProof', () => ({ grantId: 'x', htm: 'get', htu: 'http://x/' }), 'htm'],
    ['northbound_revoke', () => ({ grantId: 7 }), 'grantId'],
  ]
  test('-32602 invalid_params: the message names the parameter and what was expected of it', async ({
    stage,
    page,
  }) => {
    for (const [method, params, named] of wrong) {
      const outcome = await call(page, method, params(stage))
      expectError(outcome, -32602, 'invalid_params')
      expect(outcome.error?.message).toMatch(new RegExp(`^${named}: .*expected`))
    }
  })

  test('-32602 invalid_params: what is not plain data, beside calls of the same task that are', async ({
    stage,
    page,
  }) => {
    const outcomes = await page.evaluate(async (url) => {
      const own = { name: 'ECDSA', namedCurve: 'P-256' }
      const asked: unknown[] = [
        () => {},
        new Map([['grantId', 'x']]),
        new Date(),
        [],
        new Blob(['x']),
        { grantId: new Map() },
        { grantId: /x/ },
        { grantId: { a: { b: { c: { d: {} } } } } },
        { grantId: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) },
        { grantId: await RTCPeerConnection.generateCertificate(own) },
        { grantId: await navigator.storage.getDirectory() },
        { url, body: new Uint8Array(8) },
        { url, body: new ArrayBuffer(80 * 1024 * 1024) },
      ]
      return Promise.all([
        window.call('northbound_getGrants'),
        ...asked.map((params) => window.call('northbound_fetch', params as object)),
        window.call('broker_getInfo'),
      ]) as Promise<Called<unknown>[]>
    }, stage.network.apisOrigin)
    expect(outcomes.at(0)?.result).toEqual(expect.any(Array))
    expect(outcomes.at(-1)?.result).toMatchObject({ protocol: '1' })
    for (const outcome of outcomes.slice(1, -1)) expectError(outcome, -32602, 'invalid_params')
  })
})

describe('a call that the broker cannot carry out', () => {
  test('4290 rate_limited: too many requests from this origin', async ({
    stage,
    page,
    stranger,
  }) => {
    const params = { grantId: 'x', htm: 'GET', htu: `${stage.network.apisOrigin}/x` }
    const errors = await stranger.evaluate(async (given) => {
      const asked = Array.from({ length: 300 }, () => window.call('northbound_createProof', given))
      const outcomes = (await Promise.all(asked)) as { error: ProviderErrorObject }[]
      return outcomes.map(({ error }) => error)
    }, params)
    const limited = errors.filter(({ code }) => code !== 4100)
    expect(limited.length).toBeGreaterThan(0)
    for (const error of limited) {
      expectError({ error }, 4290, 'rate_limited', {
        retryAfterSeconds: expect.any(Number) as number,
      })
    }
    expectError(await call(page, 'northbound_createProof', params), 4100, 'no_grant')
  })

  test('-32603 internal_error: a defect, without a word of what happened inside', async ({
    stage,
    page,
    strangerApplication,
    stranger,
  }) => {
    // The first call has created the database and cached the grants of its origin, so the next call
    // has another origin.
    expect((await call(page, 'northbound_getGrants')).result).toEqual([])
    // The broker never writes such a record. Code that reads it throws.
    const key = [strangerApplication.origin, 'x']
    await putRecord(await openScreen(stage), 'northkey-grants', 'grants', key, null)
    const outcome = await call(stranger, 'northbound_getGrants')
    expectError(outcome, -32603, 'internal_error')
    expect(JSON.stringify(outcome)).not.toMatch(/TypeError|\bnull\b|lifetime|\.js|extension:/)
  })
})
