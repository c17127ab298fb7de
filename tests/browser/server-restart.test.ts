/**
 * Servers that are away for a while, that come back without their memory, and whose clock is wrong.
 *
 * Seen to fail when `refresh` sends the refresh token though the browser knows that it is offline, and when
 * a server that is not there is late (N06); when a revocation is done only where the answer is a 204
 * (C16); when `validateIdToken` does not look at `iat` (N10, ahead), and when `toStoredToken` takes the `exp`
 * of the access token, which is the server's clock (N10, each of the four others); when keys that were read
 * once are never read again, and when a nonce is never replaced (N11).
 */

import { decodeJwt } from 'jose'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startNetwork } from '../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import {
  type AccessToken,
  type ConnectParams,
  ERROR_CODE,
  type FetchResult,
  type Grant,
  type RevokeResult,
} from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { gone } from './support/pages.ts'
import {
  answerConsent,
  BROWSERS,
  type Called,
  CLIENT_ID,
  call,
  connect,
  formOf,
  type Stage,
  startStage,
  tokenRequests,
} from './support/stage.ts'

const MINUTE_MS = 61_000

/** More than any token has: such a call renews one that is not of this very second. */
const RENEWED = { minValiditySeconds: 3_600 }

describe.each(BROWSERS)('in %s, an authorization function', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name, {
      operator: {
        onboarding: 'preregistered',
        clientAuthentication: 'none',
        dpop: 'when_offered',
        pushedAuthorizationRequests: 'when_offered',
      },
    })
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  /** The same operator at the same addresses, with new keys and nothing in its memory. */
  async function startAgain(): Promise<void> {
    const { issuer, apisOrigin, userPlaneOrigin } = stage.network
    const [authorization, apis, userPlane] = [issuer, apisOrigin, userPlaneOrigin].map((url) =>
      Number(new URL(url).port),
    ) as [number, number, number]
    stage.network = await startNetwork({
      applications: [
        { clientId: CLIENT_ID, name: 'Cloud gaming', origins: [stage.application.origin] },
      ],
      redirectBases: Object.values(REDIRECT_BASE),
      ports: { authorization, apis, userPlane },
    })
  }

  function wishOf(profile: string, more: Partial<ConnectParams> = {}): ConnectParams {
    const operator = stage.network.operatorProfiles.find((one) => one.profile === profile)
    const [api] = operator?.apis ?? []
    const purpose = profile === 'camara' && { purpose: api?.purposes?.[0] ?? '' }
    const scope = api?.scopes.slice(0, 2).map((each) => each.scope)
    return {
      issuer: operator?.issuer ?? '',
      apis: [{ resource: api?.resource ?? '', scope: scope?.join(' ') ?? '', ...purpose }],
      ...more,
    }
  }

  async function granted(wish: ConnectParams): Promise<Grant> {
    await gesture(page)
    const { result, error } = await connect(stage, page, wish)
    if (!result) throw new Error(`no grant: ${error.message}`)
    return result
  }

  async function renew(grantId: string): Promise<Called<AccessToken>> {
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    return call(page, 'northbound_getAccessToken', { grantId, ...RENEWED })
  }

  const refreshes = () =>
    tokenRequests(stage).filter((entry) => formOf(entry).grant_type === 'refresh_token')

  test('N06: that is not there is a typed error, and once it is there the same wish is granted', async () => {
    await stage.network.close()
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', wishOf('oauth'))
    await answerConsent(stage, 'allow')
    expect((await outcome).error).toMatchObject({
      code: ERROR_CODE.unreachable,
      data: { error: 'network_error' },
    })
    await gone(stage.browser, '/ui/consent/')
    await startAgain()
    await granted(wishOf('oauth'))
    await call(page, 'northbound_revoke')
  })

  test('C16: started again, it knows no token that it is told to forget, and says 200: the grant is revoked, and nothing is pending', async () => {
    const { grantId } = await granted(wishOf('oauth'))
    await stage.network.close()
    await startAgain()
    const { result } = await call<RevokeResult>(page, 'northbound_revoke', { grantId })
    expect(result).toEqual({ revoked: [grantId], pending: [] })
    const told = () => stage.network.log.filter({ method: 'POST', path: /revocation$/ })
    expect(told().map(({ status }) => status)).toEqual([200])
    const refreshToken = String(formOf(told()[0]).token)
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: refreshToken,
    })
    const refused = await fetch(`${stage.network.issuer}/token`, { method: 'POST', body })
    expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
  })

  if (name === 'chromium') {
    // Firefox's driver can take a page offline, but not the extension.
    test('N06: offline, a refresh token is not sent, and serves once the browser is online', async () => {
      const { grantId } = await granted(wishOf('oauth', { mode: 'token' }))
      const worker = stage.browser.targets().find((each) => each.type() === 'service_worker')
      const session = await worker?.createCDPSession()
      const offline = (is: boolean) =>
        session?.send('Network.emulateNetworkConditions', {
          offline: is,
          latency: 0,
          downloadThroughput: -1,
          uploadThroughput: -1,
        })
      await session?.send('Network.enable')
      stage.network.log.clear()
      await offline(true)
      expect((await renew(grantId)).error).toMatchObject({
        code: ERROR_CODE.unreachable,
        data: { error: 'network_error' },
      })
      await offline(false)
      expect(tokenRequests(stage)).toEqual([])
      expect((await renew(grantId)).error).toBeUndefined()
      expect(tokenRequests(stage).map((entry) => formOf(entry).grant_type)).toContain(
        'refresh_token',
      )
      await session?.detach()
      await call(page, 'northbound_revoke')
    })
  }

  test.each([300, -300, 3_600, -3_600])(
    'N10: whose clock is %i seconds off, without OpenID Connect, does no harm',
    async (seconds) => {
      const { grantId } = await granted(wishOf('oauth', { mode: 'token' }))
      stage.network.faults.add({
        server: 'authorization-function',
        action: { type: 'clock', seconds },
      })
      const { result } = await renew(grantId)
      stage.network.faults.clear()
      await call(page, 'northbound_revoke')
      // Lifetimes are counted from the moment of the answer, on this device's clock.
      const lifetimeMs = (result?.expiresAt ?? 0) - Date.now()
      expect(lifetimeMs).toBeGreaterThan(580_000)
      expect(lifetimeMs).toBeLessThanOrEqual(600_000)
    },
  )

  test('N11: started again without its keys, nonces and sessions: the user is needed, and then all is well', async () => {
    const wish = wishOf('camara')
    const [{ resource } = { resource: '' }] = wish.apis
    const fetchIt = () =>
      call<FetchResult>(page, 'northbound_fetch', {
        url: `${resource}/sessions/${crypto.randomUUID()}`,
      })
    const { grantId, tokenType } = await granted(wish)
    const keysReadAtMs = Date.now()
    expect(tokenType).toBe('DPoP')
    const before = await fetchIt()
    expect(before.error).toBeUndefined()

    await stage.network.close()
    await startAgain()
    const { error } = await fetchIt()
    expect([ERROR_CODE.interactionRequired, ERROR_CODE.notOnMobileNetwork]).toContain(error?.code)

    // The nonce of before is as good as none, and costs one request more.
    const [first, second, ...more] = refreshes().map(({ headers }) =>
      decodeJwt(String(headers.dpop)),
    )
    expect(more).toEqual([])
    expect(first?.nonce).toBeTypeOf('string')
    expect(second?.nonce).toBeTypeOf('string')
    expect(second?.nonce).not.toBe(first?.nonce)

    // A server cannot make the broker read its keys more than once a minute; a worker without a call
    // would not live so long, nor remember them.
    while (Date.now() < keysReadAtMs + MINUTE_MS) {
      await call(page, 'broker_getInfo')
      await new Promise((resolve) => setTimeout(resolve, 5_000))
    }
    const again = await granted(wish)
    expect(again.grantId).not.toBe(grantId)
    const after = await fetchIt()
    expect(after.error).toBeUndefined()
    expect(after.result?.status).toBe(before.result?.status)
  }, 150_000)

  test('N10: whose clock is ahead is told by its ID token, by five minutes or an hour, and its tokens are not used', async () => {
    const { faults } = stage.network
    // The authorization stays on record, so that no page waits for the user.
    faults.add({ path: '*/token/revocation', action: { type: 'status', status: 503 } })
    await call(page, 'northbound_revoke')
    for (const seconds of [300, 3_600]) {
      const server = 'authorization-function'
      const fault = faults.add({ server, action: { type: 'clock', seconds } })
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', wishOf('camara'))
      await answerConsent(stage, 'allow')
      const { error } = await outcome
      expect(error).toMatchObject({
        code: ERROR_CODE.untrustedResponse,
        data: { error: 'invalid_id_token' },
      })
      expect(error?.message).toContain('clocks')
      faults.remove(fault)
      await gone(stage.browser, '/ui/consent/')
    }
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  })
})
