/**
 * Runs the life of two grants against a real authorization server: connect, sign-in at the server's own page, token,
 * call, renewal, a second grant, revocation. Each step tells what it found; a step that fails does not end the run.
 */

import type { Page } from 'puppeteer-core'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type {
  AccessToken,
  ApiAccess,
  FetchResult,
  Grant,
  Mode,
  ProviderErrorObject,
  RevokeResult,
} from '../../shared/messages/page-api.ts'
import { inFront, pagesAt, until } from '../browser/support/pages.ts'
import type { InteropStage } from './stage.ts'
import type { User } from './user.ts'

export interface StepReport {
  step: string
  /** Text of the failure, or `undefined`. */
  failure?: string
  /** Text of what was found. */
  found?: string
}

/** Time after which a step counts as failed: a page waits that the user does not know. */
const STEP_LIMIT_MS = 45_000

/** A longer validity than any token of the servers has: each call is a renewal. */
const RENEWED = { minValiditySeconds: 86_400 }

interface Answer<T> {
  result?: T
  error?: ProviderErrorObject
}

class StepFailure extends Error {}

function describeError({ code, message, data }: ProviderErrorObject): string {
  return `${code} ${message} ${JSON.stringify(data)}`
}

async function call<T>(page: Page, method: string, params: object): Promise<T> {
  const { result, error } = (await page.evaluate(
    (name, given) => window.call(name, given),
    method,
    params as never,
  )) as Answer<T>
  if (error) throw new StepFailure(describeError(error))
  return result as T
}

function failLate(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(reject, STEP_LIMIT_MS, new StepFailure(`no outcome in ${STEP_LIMIT_MS} ms`)).unref()
  })
}

async function click(page: Page): Promise<void> {
  await inFront(page)
  await page.click('button')
}

/** Allows in the broker's own window, once it is there. */
async function allow({ browser }: InteropStage, signal: { settled: boolean }): Promise<void> {
  const consent = await until('the consent window', async () =>
    signal.settled ? 'none' : (await pagesAt(browser, '/ui/consent/'))[0],
  )
  if (consent === 'none') return
  await consent.bringToFront()
  await consent.waitForSelector('[data-testid=allow]:not([disabled])')
  await consent.click('[data-testid=allow]').catch(() => {})
}

function accessOf({ apis }: OperatorProfile, index: number): ApiAccess {
  const api = apis[index]
  if (!api) throw new Error('apis: expected two')
  return { resource: api.resource, scope: api.scopes[0]?.scope ?? '' }
}

/** @param indexes Of the profile's APIs. */
async function connect(
  stage: InteropStage,
  indexes: number[],
  mode: Mode = 'token',
): Promise<Grant> {
  const { page, profile } = stage
  await click(page)
  const signal = { settled: false }
  const connecting = call<Grant>(page, 'northbound_connect', {
    issuer: profile.issuer,
    apis: indexes.map((index) => accessOf(profile, index)),
    mode,
  }).finally(() => {
    signal.settled = true
  })
  const [grant] = await Promise.all([connecting, allow(stage, signal)])
  return grant
}

/** Calls the APIs of a grant. The log of the APIs has what they saw, the answer is not read. */
async function callApis({ page, api }: InteropStage, grant: Grant): Promise<string> {
  const before = api.calls.length
  for (const { resource } of grant.apis) {
    const params = { url: `${resource}/ping`, grantId: grant.grantId }
    const { status } = await call<FetchResult>(page, 'northbound_fetch', params)
    if (status !== 200) throw new StepFailure(`${resource} answered ${status}`)
  }
  const calls = api.calls.slice(before)
  const origins = calls.flatMap(({ headers }) => headers.origin ?? [])
  if (origins.length > 0) throw new StepFailure(`the API saw the origin ${origins.join()}`)
  return `200; ${calls.map(({ token }) => token).join('; ')}`
}

/** Gets another access token: silently, or with a window after a click where that does not work. */
async function renew({ page }: InteropStage, grant: Grant): Promise<string> {
  const params = { grantId: grant.grantId }
  const { accessToken } = await call<AccessToken>(page, 'northbound_getAccessToken', params)
  const renewal = { ...params, ...RENEWED }
  const renewed = await call<AccessToken>(page, 'northbound_getAccessToken', renewal).catch(
    async (error: Error) => {
      await click(page)
      const interactive = { ...renewal, interactive: 'ifNeeded' }
      const { accessToken } = await call<AccessToken>(
        page,
        'northbound_getAccessToken',
        interactive,
      ).catch((second: Error) => {
        throw new StepFailure(`silently: ${error.message}; with a window: ${second.message}`)
      })
      return { accessToken, window: error.message }
    },
  )
  if (renewed.accessToken === accessToken) throw new StepFailure('the token is the same')
  return 'window' in renewed ? `with a window, since ${renewed.window}` : 'another token, silently'
}

/** @param report Receives the report of each step, in order. */
export async function runSteps(
  stage: InteropStage,
  user: User,
  report: (step: StepReport) => void,
): Promise<void> {
  const { page } = stage
  const grants: Grant[] = []
  async function attempt(step: string, run: () => Promise<string>): Promise<void> {
    try {
      report({ step, found: await Promise.race([run(), failLate()]) })
    } catch (error) {
      report({ step, failure: (error as Error).message })
    }
  }
  const need = (index: number): Grant => {
    const grant = grants[index]
    if (!grant) throw new StepFailure('there is no grant')
    return grant
  }
  async function connectAs(position: number, indexes: number[]): Promise<string> {
    const { signIns, forms } = user
    const grant = await connect(stage, indexes)
    grants[position] = grant
    const scopes = grant.apis.map(({ scope }) => scope).join(', ')
    const effort = `password typed ${user.signIns - signIns} times, ${user.forms - forms} forms sent`
    return `${scopes}; ${grant.tokenType}; ${effort}`
  }
  async function getToken(grant: Grant): Promise<string> {
    const token = await call<AccessToken>(page, 'northbound_getAccessToken', {
      grantId: grant.grantId,
    })
    const seconds = Math.round((token.expiresAt - Date.now()) / 1_000)
    return `scope ${token.scope || '(none)'}, ${seconds} s`
  }

  await attempt('connect, with the sign-in at the server’s page', () => connectAs(0, [0]))
  await attempt('token', async () => getToken(need(0)))
  await attempt('call', async () => callApis(stage, need(0)))
  await attempt('renewal', async () => renew(stage, need(0)))
  await attempt('call with the renewed token', async () => callApis(stage, need(0)))
  await attempt('second grant', () => connectAs(1, [1]))
  await attempt('call of the second grant', async () => callApis(stage, need(1)))
  await attempt('renewal of the second grant', async () => renew(stage, need(1)))
  await attempt('renewal of the first grant beside it', async () => renew(stage, need(0)))
  await attempt('call of the first grant', async () => callApis(stage, need(0)))
  await attempt('a grant for both APIs', () => connectAs(2, [0, 1]))
  await attempt('calls of both APIs', async () => callApis(stage, need(2)))
  await attempt('revocation', async () => {
    const { revoked, pending } = await call<RevokeResult>(page, 'northbound_revoke', {})
    if (pending.length > 0) throw new StepFailure(`${pending.length} revocations are pending`)
    return `${revoked.length} grants`
  })
}
