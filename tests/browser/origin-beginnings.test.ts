/**
 * An origin may begin another's: `https://a.example` and `https://a.example:8443`. Whatever it asks, it gets
 * nothing of the other's.
 *
 * Seen to fail when what was given is looked up by origin and question without anything between them.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AccessToken, ERROR_CODE } from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from './support/application.ts'
import { BROWSERS, call, connect, type Stage, startStage } from './support/stage.ts'

/** Ports that no browser speaks to. @see https://fetch.spec.whatwg.org/#bad-port */
const BAD_PORTS = [4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697]

/** An application whose port is the first digits of this one. */
async function startBeginning(port: number): Promise<ApplicationServer> {
  for (const digits of [4, 3]) {
    const wanted = Number(`${port}`.slice(0, digits))
    if (BAD_PORTS.includes(wanted)) continue
    try {
      return await startApplication('127.0.0.1', wanted)
    } catch {
      // Somebody else has it.
    }
  }
  throw new Error(`none of the ports with which ${port} begins is free`)
}

describe.each(BROWSERS)('in %s, beside a page that has a token', (name) => {
  let stage: Stage
  let beginning: ApplicationServer
  let page: Page
  let grantId: string

  beforeAll(async () => {
    stage = await startStage(name)
    beginning = await startBeginning(stage.application.port)
    page = await stage.open()
    grantId = (await connect(stage, page, stage.wish({ mode: 'token' }))).result?.grantId ?? ''
    expect(grantId).not.toBe('')
  })
  afterAll(async () => {
    await stage?.close()
    await beginning?.close()
  })

  test('C01: an origin with which another’s begins gets nothing of it, whatever it asks', async () => {
    const end = stage.application.origin.slice(beginning.origin.length)
    expect(beginning.origin + end).toBe(stage.application.origin)
    const other = await stage.browser.newPage()
    await other.goto(beginning.origin)
    for (const params of [{}, { grantId }]) {
      const mine = await call<AccessToken>(page, 'northbound_getAccessToken', params)
      expect(mine.result?.grantId).toBe(grantId)
      for (const between of ['', ' ']) {
        const method = `${end}${between}northbound_getAccessToken`
        const { error } = await call(other, method, params)
        expect(error).toMatchObject({ code: ERROR_CODE.unsupportedMethod })
      }
      const { error } = await call(other, 'northbound_getAccessToken', params)
      expect(error).toMatchObject({ code: ERROR_CODE.noGrant })
    }
    await other.close()
  })
})
