/** One flow of a storm: from the page's wish to what it makes of its grant, with all that goes wrong. */

import type { FaultRule } from '../../demo-site/network/index.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { inFront, until } from '../browser/support/pages.ts'
import type { Moment, PlannedEvent, PlannedFlow } from './plan.ts'
import { beUser, closeWindows } from './user.ts'
import { call, forgetRefusals, type Settled, type Site, type World } from './world.ts'

/** What came of a flow. It follows from the plan, and thus from the seed. */
export interface Came {
  /** `granted`, `page left`, or the word of the error. */
  outcome: string
  /** The same of each use that the page made of its grant. */
  used: string[]
  /** The same of a second call beside the one that waited. */
  second?: string
  /** Whether the flow came to the moment of its event. */
  reached: boolean
  /** To how many requests the fault happened. */
  faulted: number
  /** How many windows the user gave up. */
  givenUp: number
}

export const NEVER = 'never settled'
const LIMIT_MS = 45_000
/** Longer than any token lives: each call brings a renewal. */
const RENEW = { minValiditySeconds: 7_200 }
const RENEWALS = 2

const EXPECTED: readonly number[] = Object.values(ERROR_CODE).filter(
  (code) => code !== ERROR_CODE.internalError && code !== ERROR_CODE.invalidParams,
)

export function describe({ error, result }: Settled, good: string): string {
  if (!error) return result === undefined ? 'page left' : good
  return EXPECTED.includes(error.code)
    ? error.data.error
    : `unexpected ${error.code} ${error.data.error}`
}

/** A call that must settle, whatever happens. */
async function settled(asked: Promise<Settled>, good: string): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, LIMIT_MS, NEVER)
  })
  try {
    return await Promise.race([asked.then((one) => describe(one, good)), late])
  } finally {
    clearTimeout(timer)
  }
}

const renew = (site: Site, more: object = {}) =>
  call(site, 'northbound_getAccessToken', { ...RENEW, ...more })

/** What the page does with its grant. */
async function useGrant(world: World, site: Site, use: PlannedFlow['use']): Promise<string[]> {
  switch (use) {
    case 'nothing':
      return []
    case 'call': {
      const url = `${world.wish.apis[0]?.resource}/storm/subscriptions`
      return [await settled(call(site, 'northbound_fetch', { url }), 'answered')]
    }
    case 'token':
      return [await settled(call(site, 'northbound_getAccessToken'), 'given')]
    case 'renewal': {
      const used = []
      for (let time = 0; time < RENEWALS; time++) used.push(await settled(renew(site), 'renewed'))
      return used
    }
  }
}

/** @returns The second call, where there is one. */
async function happen(
  world: World,
  site: Site,
  { type, moment }: PlannedEvent,
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
      // Another wish, since equal ones are joined in the page already.
      const second = renewing
        ? renew(site, { interactive: 'never' })
        : call(site, 'northbound_connect', { ...world.wish, reason: 'once more' })
      // Here the broker has the second call before the first one goes on.
      await call(site, 'broker_getInfo')
      return { second }
    }
  }
}

function holdAt({ server, path, nth, before }: Extract<Moment, { at: 'request' }>): FaultRule {
  return { server, path, nth, action: { type: 'hold', before } }
}

export async function runFlow(world: World, flow: PlannedFlow): Promise<Came> {
  const { faults } = world.network
  const site = world.sites[flow.site]
  const { event } = flow
  const moment = event?.moment
  const came: Came = { outcome: '', used: [], reached: false, faulted: 0, givenUp: 0 }
  let over = false
  let second: Promise<Settled> | undefined

  async function eventNow(): Promise<void> {
    if (!event) return
    came.reached = true
    ;({ second } = await happen(world, site, event))
  }
  async function eventAt(hold: string): Promise<void> {
    const isHeld = () => faults.find(hold)?.applied === 1
    await until('the moment, or the end', async () => isHeld() || over, 4 * LIMIT_MS)
    if (isHeld()) await eventNow()
    faults.remove(hold)
  }

  await forgetRefusals(world)
  await inFront(site.page)
  const holds = moment?.at === 'request' ? [holdAt(moment)] : []
  const ids = world.fault(...holds, ...(flow.fault ? [flow.fault] : []))
  const held = Promise.all(ids.slice(0, holds.length).map(eventAt))
  const user = beUser(
    world,
    flow.answer,
    () => over,
    async () => {
      if (moment?.at === 'consent') await eventNow()
    },
  )
  const mode = flow.use === 'token' || flow.use === 'renewal' ? 'token' : 'fetch'
  const asked = call(site, 'northbound_connect', { ...world.wish, mode })
  came.outcome = await settled(asked, 'granted')
  if (came.outcome === 'granted') came.used = await useGrant(world, site, flow.use)
  over = true
  came.givenUp = await user
  await held
  if (second) came.second = await settled(second, 'granted')
  for (const id of ids.slice(holds.length)) came.faulted += faults.find(id)?.applied ?? 0
  return came
}

/** The other site asks for what this one has. It must get nothing, and no hint. */
export async function askAsStranger(world: World, flow: PlannedFlow): Promise<string[]> {
  const owner = world.sites[flow.site]
  const stranger = world.sites[flow.site === 0 ? 1 : 0]
  const { result: grants } = await call(owner, 'northbound_getGrants')
  const { result: theirs } = await call(stranger, 'northbound_getGrants')
  const found = (theirs as Grant[]).length === 0 ? [] : ['a site sees the grants of another']
  for (const { grantId, apis } of grants as Grant[]) {
    const url = `${apis[0]?.resource}/storm/subscriptions`
    for (const asked of [
      call(stranger, 'northbound_getAccessToken', { grantId }),
      call(stranger, 'northbound_fetch', { grantId, url }),
    ]) {
      const { error } = await asked
      if (error?.code !== ERROR_CODE.noGrant) found.push('a site got an answer for another’s grant')
    }
  }
  return found
}
