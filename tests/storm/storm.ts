/**
 * Flows under faults of network, server, worker and user, one after the other, and what must hold
 * whatever happens: every call settles, a code and a refresh token are sent at most once, no token goes
 * where it does not belong, no record and no window stay. What comes of each flow follows from the seed.
 */

import { createHash } from 'node:crypto'
import { askAsStranger, type Came, describe, NEVER, runFlow } from './flow.ts'
import { Judge } from './judge.ts'
import { type PlannedFlow, plan } from './plan.ts'
import { beUser, flowWindows } from './user.ts'
import { call, recordsIn, startWorld, type World } from './world.ts'

export interface StormReport {
  flows: number
  /** How often each outcome came: `granted`, `page left`, or the word of the error. */
  outcomes: Record<string, number>
  /** The same of what pages did with their grants. */
  uses: Record<string, number>
  /** How often each event came, where its flow reached the moment. */
  events: Record<string, number>
  faultsApplied: number
  codesSent: number
  refreshTokensSent: number
  /** Of the plan, and of what came of it. */
  digests: { plan: string; outcomes: string }
  violations: string[]
  /** What came of each flow, in order. */
  came: Came[]
  seconds: number
}

const REPORT_EVERY = 50

const digestOf = (value: unknown) =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}

/** Looks again for a while: a stopped worker finishes what it finds when it wakes. */
async function settles(what: string, look: () => Promise<boolean>): Promise<string[]> {
  for (let time = 0; time < 500; time++) {
    if (await look()) return []
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return [what]
}

/** The subscriber signs in and authorizes both sites, once for the whole storm. */
async function signInOnce(world: World): Promise<void> {
  for (const site of world.sites) {
    await site.page.bringToFront()
    let over = false
    const user = beUser(
      world,
      'allow',
      () => over,
      async () => {},
    )
    const connected = await call(site, 'northbound_connect', world.wish)
    over = true
    await user
    if (connected.error) throw new Error(`the first flow failed: ${connected.error.message}`)
    await call(site, 'northbound_revoke')
  }
}

/** @param builds Folder with a development build for Chromium. */
export async function storm(
  seed: number,
  flows: number,
  builds: string,
  report: (line: string) => void = () => {},
): Promise<StormReport> {
  const planned = plan(seed, flows)
  const world = await startWorld(builds)
  const { log } = world.network
  const judge = new Judge(world)
  const begun = performance.now()
  const result: StormReport = {
    flows,
    outcomes: {},
    uses: {},
    events: {},
    faultsApplied: 0,
    codesSent: 0,
    refreshTokensSent: 0,
    digests: { plan: digestOf(planned), outcomes: '' },
    violations: [],
    came: [],
    seconds: 0,
  }

  async function one(flow: PlannedFlow): Promise<string[]> {
    const site = world.sites[flow.site]
    const came = await runFlow(world, flow)
    result.came.push(came)
    count(result.outcomes, came.outcome)
    for (const use of came.used) count(result.uses, use)
    if (came.reached) count(result.events, flow.event?.type ?? '')
    result.faultsApplied += came.faulted
    const said = [came.outcome, ...came.used, came.second ?? '']
    const found = said.filter((word) => word === NEVER || word.startsWith('unexpected'))
    world.fault()
    found.push(
      ...(await settles('a window stays', async () => flowWindows(world).length === 0)),
      ...(await settles('a record stays', async () => (await recordsIn(world, 'flows')) === 0)),
      ...(await askAsStranger(world, flow)),
    )
    const { error } = await call(site, 'northbound_revoke')
    if (error) found.push(`revoke: ${describe({ error }, '')}`)
    if ((await recordsIn(world, 'tokens')) > 0) found.push('tokens stay')
    found.push(...(await judge.look(site)))
    return found
  }

  try {
    world.fault()
    await signInOnce(world)
    log.clear()
    for (const [index, flow] of planned.entries()) {
      const found = await one(flow)
      result.violations.push(...found.map((what) => `flow ${index}: ${what}`))
      if ((index + 1) % REPORT_EVERY === 0) {
        report(`${index + 1} of ${flows}: ${JSON.stringify(result.outcomes)}`)
      }
    }
  } finally {
    await world.close()
  }
  result.codesSent = judge.sent.codes
  result.refreshTokensSent = judge.sent.refreshTokens
  result.digests.outcomes = digestOf(result.came)
  result.seconds = Math.round((performance.now() - begun) / 1_000)
  return result
}
