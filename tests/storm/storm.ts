/**
 * Runs flows one after the other under faults of the network, the servers, the worker and the user, and
 * checks the invariants: every call settles, a code and a refresh token are sent at most once, no token
 * reaches another party, no record and no window stay. The result of each flow depends on the seed only.
 */

import { createHash } from 'node:crypto'
import type { BrowserName } from '../../scripts/browsers.ts'
import { callAsStranger, describeOutcome, type FlowResult, NEVER, runFlow } from './flow.ts'
import { Judge } from './judge.ts'
import { createPlan, type PlannedFlow } from './plan.ts'
import { listFlowWindows, simulateUser } from './user.ts'
import { call, clickInPage, countRecords, startWorld, type World } from './world.ts'

export interface StormReport {
  flows: number
  /** Number of flows for each outcome: `granted`, `page left`, or the `error` of the error. */
  outcomes: Record<string, number>
  /** Number of uses of a grant for each outcome. */
  uses: Record<string, number>
  /** Number of grants for each outcome of their end. */
  ends: Record<string, number>
  /** Number of events of each type whose flow reached the moment. */
  events: Record<string, number>
  faultsApplied: number
  codesSent: number
  refreshTokensSent: number
  revocationsAccepted: number
  /** Digests of the plan and of the results. */
  digests: { plan: string; outcomes: string }
  violations: string[]
  /** Results of the flows, in order. */
  results: FlowResult[]
  seconds: number
}

const REPORT_EVERY = 50

const computeDigest = (value: unknown) =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

function increment(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

/**
 * Polls a condition for a while: a stopped worker finishes its work after it wakes. @returns A violation,
 * if it stays false.
 */
async function waitForCondition(
  violation: string,
  check: () => Promise<boolean>,
): Promise<string[]> {
  for (let time = 0; time < 500; time++) {
    if (await check()) return []
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return [violation]
}

/** The subscriber signs in at both operators, once for the whole storm. */
async function signInOnce(world: World): Promise<void> {
  const [site] = world.sites
  for (const request of Object.values(world.requests)) {
    const over = new AbortController()
    const user = simulateUser(world, 'allow', over.signal, async () => {})
    await clickInPage(site)
    const connected = await call(site, 'northbound_connect', request)
    over.abort()
    await user
    if (connected.error) throw new Error(`the first flow failed: ${connected.error.message}`)
    await call(site, 'northbound_revoke')
  }
}

export interface StormOptions {
  browser: BrowserName
  seed: number
  flows: number
  /** Folder with a development build for the browser. */
  builds: string
  report?: (line: string) => void
}

export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { browser, seed, flows, builds, report = () => {} } = options
  const planned = createPlan(seed, flows)
  const world = await startWorld(browser, builds)
  const { log } = world.network
  const judge = new Judge(world)
  const begun = performance.now()
  const result: StormReport = {
    flows,
    outcomes: {},
    uses: {},
    ends: {},
    events: {},
    faultsApplied: 0,
    codesSent: 0,
    refreshTokensSent: 0,
    revocationsAccepted: 0,
    digests: { plan: computeDigest(planned), outcomes: '' },
    violations: [],
    results: [],
    seconds: 0,
  }

  async function runAndCheckFlow(flow: PlannedFlow): Promise<string[]> {
    const site = world.sites[flow.site]
    const flowResult = await runFlow(world, flow)
    result.results.push(flowResult)
    increment(result.outcomes, flowResult.outcome)
    for (const use of flowResult.used) increment(result.uses, use)
    if (flowResult.ended) increment(result.ends, flowResult.ended)
    if (flowResult.reached) increment(result.events, flow.event?.type ?? '')
    result.faultsApplied += flowResult.faulted
    const { outcome, used, ended = '', second = '' } = flowResult
    const outcomes = [outcome, ...used, ended, second]
    const found = outcomes.filter((word) => word === NEVER || word.startsWith('unexpected'))
    world.fault()
    found.push(
      ...(await waitForCondition(
        'a window stays',
        async () => (await listFlowWindows(world)).length === 0,
      )),
      ...(await waitForCondition(
        'a record stays',
        async () => (await countRecords(world, 'flows')) === 0,
      )),
      ...(await callAsStranger(world, flow)),
    )
    const { error } = await call(site, 'northbound_revoke')
    if (error) found.push(`revoke: ${describeOutcome({ error }, '')}`)
    if ((await countRecords(world, 'tokens')) > 0) found.push('tokens stay')
    // A revocation that failed is sent again.
    found.push(
      ...(await waitForCondition(
        'a revocation stays',
        async () => (await countRecords(world, 'revocations')) === 0,
      )),
      ...(await judge.checkRevocation(ended)),
    )
    found.push(...(await judge.checkTraffic(site)))
    return found
  }

  try {
    world.fault()
    await signInOnce(world)
    log.clear()
    for (const [index, flow] of planned.entries()) {
      const found = await runAndCheckFlow(flow)
      result.violations.push(...found.map((violation) => `flow ${index}: ${violation}`))
      if ((index + 1) % REPORT_EVERY === 0) {
        report(`${index + 1} of ${flows}: ${JSON.stringify(result.outcomes)}`)
      }
    }
  } finally {
    await world.close()
  }
  result.codesSent = judge.sent.codes
  result.refreshTokensSent = judge.sent.refreshTokens
  result.revocationsAccepted = judge.sent.revocations
  result.digests.outcomes = computeDigest(result.results)
  result.seconds = Math.round((performance.now() - begun) / 1_000)
  return result
}
