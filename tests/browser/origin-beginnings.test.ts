/**
 * Tests two origins where the first is a prefix of the second: `https://a.example` and
 * `https://a.example:8443`. The origin with the shorter name gets nothing that belongs to the other origin,
 * whatever it requests.
 *
 * Seen to fail when the keys of the access token cache join origin and request without a separator.
 */

import { describe, expect } from 'vitest'
import { type AccessToken, ERROR_CODE } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { type ApplicationServer, startApplication } from './support/application.ts'
import { openPage } from './support/pages.ts'
import { call } from './support/stage.ts'

/** Ports that browsers block. @see https://fetch.spec.whatwg.org/#bad-port */
const BAD_PORTS = [4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697]

/** An application whose port is the first digits of another's port. */
async function startBeginning(port: number): Promise<ApplicationServer> {
  for (const digits of [4, 3]) {
    const wanted = Number(`${port}`.slice(0, digits))
    if (BAD_PORTS.includes(wanted)) continue
    try {
      return await startApplication('127.0.0.1', wanted)
    } catch {
      // Another program uses the port.
    }
  }
  throw new Error(`none of the ports with which ${port} begins is free`)
}

const test = base
  .extend('wish', { mode: 'token' } as const)
  .extend('beginning', async ({ stage }, { onCleanup }) => {
    const application = await startBeginning(stage.application.port)
    onCleanup(() => application.close())
    return application
  })

describe('beside a page that has a token', () => {
  test('C01: an origin with which another’s begins gets nothing of it, whatever it asks', async ({
    stage,
    page,
    granted,
    beginning,
  }) => {
    const { grantId } = granted
    const end = stage.application.origin.slice(beginning.origin.length)
    expect(beginning.origin + end).toBe(stage.application.origin)
    const otherPage = await openPage(stage.browser, beginning.origin)
    for (const params of [{}, { grantId }]) {
      const mine = await call<AccessToken>(page, 'northbound_getAccessToken', params)
      expect(mine.result?.grantId).toBe(grantId)
      for (const between of ['', ' ']) {
        const method = `${end}${between}northbound_getAccessToken`
        const { error } = await call(otherPage, method, params)
        expect(error).toMatchObject({ code: ERROR_CODE.unsupportedMethod })
      }
      const { error } = await call(otherPage, 'northbound_getAccessToken', params)
      expect(error).toMatchObject({ code: ERROR_CODE.noGrant })
    }
  })
})
