/**
 * Runs one flow of a storm, from the connect call to the use of the grant, with the planned fault and
 * event.
 */

import {
  ERROR_CODE,
  type Grant,
  type Provider,
  type RevokeResult,
} from '../../shared/messages/page-api.ts'
import { createHold, waitUntilHeld } from './hold.ts'
import type { PlannedEvent, PlannedFlow } from './plan.ts'
import { closeWindows, simulateUser } from './user.ts'
import { call, clickInPage, deleteDenials, type Settled, type Site, type World } from './world.ts'

/** Result of a flow. It depends on the plan only, and so on the seed only. */
export interface FlowResult {
  /** `granted`, `page left`, or the `error` of the error. */
  outcome: string
  /** Outcome of each use of the grant. */
  used: string[]
  /** Outcome of the revocation: of the page's call, or `by network`. Absent without a grant. */
  ended?: string
  /** Outcome of a second call during the first one. */
  second?: string
  /** Whether the flow reached the moment of its event. */
  reached: boolean
  /** Number of requests that the fault was applied to. */
  faulted: number
  /** Number of windows that the user gave up. */
  givenUp: number
}

declare global {
  interface Window {
    /** The party that revoked the grant. */
    revoked?: Promise<string>
  }
}

export const NEVER = 'never settled'
const LIMIT_MS = 45_000
/** Longer than the lifetime of every token: each call causes a renewal. */
const RENEW = { minValiditySeconds: 7_200 }
const RENEWALS = 2

const EXPECTED: readonly number[] = Object.values(ERROR_CODE).filter(
  (code) => code !== ERROR_CODE.internalError && code !== ERROR_CODE.invalidParams,
)

type Success = string | ((settled: Settled) => string)

/** @param success Outcome for a call with a result. */
export function describeOutcome(settled: Settled, success: Success): string {
  const { error, result } = settled
  if (!error) {
    if (result === undefined) return 'page left'
    return typeof success === 'string' ? success : success(settled)
  }
  return EXPECTED.includes(error.code)
    ? error.data.error
    : `unexpected ${error.code} ${error.data.error}`
}

/** Waits for a call, which must settle within the limit. @returns Its outcome, or `NEVER`. */
async function waitForOutcome(pending: Promise<Settled>, success: Success): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, LIMIT_MS, NEVER)
  })
  try {
    return await Promise.race([pending.then((answer) => describeOutcome(answer, success)), late])
  } finally {
    clearTimeout(timer)
  }
}

const renewToken = (site: Site, more: object = {}) =>
  call(site, 'northbound_getAccessToken', { ...RENEW, ...more })

/** Uses the grant as planned. */
async function useGrant(
  world: World,
  site: Site,
  { use, operator }: PlannedFlow,
): Promise<string[]> {
  switch (use) {
    case 'nothing':
      return []
    case 'call': {
      const url = `${world.requests[operator].apis[0]?.resource}/storm/subscriptions`
      return [await waitForOutcome(call(site, 'northbound_fetch', { url }), 'answered')]
    }
    case 'token':
      return [await waitForOutcome(call(site, 'northbound_getAccessToken'), 'given')]
    case 'renewal': {
      const used = []
      for (let time = 0; time < RENEWALS; time++)
        used.push(await waitForOutcome(renewToken(site), 'renewed'))
      return used
    }
  }
}

const describeRevocation = ({ revoked, pending }: RevokeResult) =>
  pending.length > 0 ? 'pending' : revoked.length > 0 ? 'revoked' : 'nothing to revoke'

/** The network revokes the grant, and the page waits for the event. */
async function revokeByNetwork(
  { network, requests, subscriber }: World,
  { page, clientId }: Site,
  operator: PlannedFlow['operator'],
): Promise<Settled> {
  await page.evaluate(async () => {
    // A page that was reloaded has not asked for the provider yet.
    const { provider } = (window.detail ?? (await window.broker())) as { provider: Provider }
    window.revoked = new Promise((resolve) => {
      provider.on('grantRevoked', (payload) => resolve((payload as { by: string }).by))
    })
  })
  const isRevoked = await network.revoke(requests[operator].issuer, subscriber.id, clientId)
  if (!isRevoked) return { result: 'the network has no authorization' }
  return { result: `by ${await page.evaluate(() => window.revoked)}` }
}

/** Ends the grant as planned. */
async function endGrant(world: World, site: Site, flow: PlannedFlow): Promise<string> {
  if (flow.end === 'network') {
    const revoking = revokeByNetwork(world, site, flow.operator)
    return waitForOutcome(revoking, ({ result }) => String(result))
  }
  const revoking = call(site, 'northbound_revoke')
  return waitForOutcome(revoking, ({ result }) => describeRevocation(result as RevokeResult))
}

/** Triggers the event of a flow. @returns The second call, if the event makes one. */
async function triggerEvent(
  world: World,
  site: Site,
  { type, moment }: PlannedEvent,
  operator: PlannedFlow['operator'],
): Promise<{ second?: Promise<Settled> }> {
  switch (type) {
    case 'stop-worker':
      await world.worker.stop()
      return {}
    case 'close-window':
      await closeWindows(world)
      return {}
    case 'reload-page':
      await site.page.reload()
      return {}
    case 'ask-twice': {
      const renewing = moment.at === 'request' && moment.nth > 1
      // The parameters differ, since equal calls are deduplicated in the page.
      const second = renewing
        ? renewToken(site, { interactive: 'never' })
        : call(site, 'northbound_connect', { ...world.requests[operator], reason: 'once more' })
      // After this answer the broker has received the second call, and the first call may continue.
      await call(site, 'broker_getInfo')
      return { second }
    }
  }
}

export async function runFlow(world: World, flow: PlannedFlow): Promise<FlowResult> {
  const { faults } = world.network
  const site = world.sites[flow.site]
  const { event } = flow
  const moment = event?.moment
  const flowResult: FlowResult = { outcome: '', used: [], reached: false, faulted: 0, givenUp: 0 }
  const over = new AbortController()
  let second: Promise<Settled> | undefined
  let triggering = Promise.resolve()

  function triggerNow(): Promise<void> {
    triggering = triggerOnce()
    return triggering
  }
  async function triggerOnce(): Promise<void> {
    if (!event) return
    flowResult.reached = true
    ;({ second } = await triggerEvent(world, site, event, flow.operator))
  }
  async function triggerAtHold(hold: string): Promise<void> {
    if (await waitUntilHeld(world.network, hold, over.signal)) await triggerNow()
    faults.remove(hold)
  }

  await deleteDenials(world)
  const holds = moment?.at === 'request' ? [createHold(moment)] : []
  const ids = world.fault(...holds, ...(flow.fault ? [flow.fault] : []))
  const held = Promise.all(ids.slice(0, holds.length).map(triggerAtHold))
  const user = simulateUser(world, flow.answer, over.signal, async () => {
    if (moment?.at === 'consent') await triggerNow()
  })
  const mode = flow.use === 'token' || flow.use === 'renewal' ? 'token' : 'fetch'
  await clickInPage(site)
  const connecting = call(site, 'northbound_connect', { ...world.requests[flow.operator], mode })
  flowResult.outcome = await waitForOutcome(connecting, 'granted')
  if (flowResult.outcome === 'granted') {
    flowResult.used = await useGrant(world, site, flow)
    // The page may still be reloaded.
    await triggering
    flowResult.ended = await endGrant(world, site, flow)
  }
  over.abort()
  flowResult.givenUp = await user
  await held
  if (second) flowResult.second = await waitForOutcome(second, 'granted')
  for (const id of ids.slice(holds.length)) flowResult.faulted += faults.find(id)?.applied ?? 0
  return flowResult
}

/** Calls the broker from the other site for the grants of this one. It must get no result, and no hint. */
export async function callAsStranger(world: World, flow: PlannedFlow): Promise<string[]> {
  const owner = world.sites[flow.site]
  const stranger = world.sites[flow.site === 0 ? 1 : 0]
  const { result: grants } = await call(owner, 'northbound_getGrants')
  const { result: theirs } = await call(stranger, 'northbound_getGrants')
  const found = (theirs as Grant[]).length === 0 ? [] : ['a site sees the grants of another']
  for (const { grantId, apis } of grants as Grant[]) {
    const url = `${apis[0]?.resource}/storm/subscriptions`
    for (const pending of [
      call(stranger, 'northbound_getAccessToken', { grantId }),
      call(stranger, 'northbound_fetch', { grantId, url }),
    ]) {
      const { error } = await pending
      if (error?.code !== ERROR_CODE.noGrant) found.push('a site got an answer for another’s grant')
    }
  }
  return found
}
