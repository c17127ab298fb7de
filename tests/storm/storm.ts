/**
 * Flows under faults of network, server, worker and user, one after the other, and what must hold
 * whatever happens: every call settles, a code is sent at most once, no token goes where it does not
 * belong, no record and no window stay.
 */

import type { Target } from 'puppeteer-core'
import { ERROR_CODE, type ProviderErrorObject } from '../../shared/messages/page-api.ts'
import { type Event, type PlannedFlow, plan } from './plan.ts'
import { signInOnce, startWorld, type World } from './world.ts'

export interface StormReport {
  flows: number
  /** How often each outcome came: `granted`, `page left`, or the word of the error. */
  outcomes: Record<string, number>
  faultsApplied: number
  workerStops: number
  codesSent: number
  violations: string[]
  /** What was done, in order. It equals the plan of the seed. */
  done: PlannedFlow[]
  seconds: number
}

const LIMIT_MS = 45_000
/** After so long a user closes a sign-in window that shows nothing. */
const PATIENCE_MS = 2_500
const CHECK_EVERY = 10

const EXPECTED: readonly number[] = Object.values(ERROR_CODE).filter(
  (code) => code !== ERROR_CODE.internalError && code !== ERROR_CODE.invalidParams,
)

interface Settled {
  result?: unknown
  error?: ProviderErrorObject
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Windows of the operator, or where a window of it has failed. */
function signInWindows({ browser, inside, page }: World): Target[] {
  const keep = [inside.target(), page.target()]
  return browser.targets().filter((target) => target.type() === 'page' && !keep.includes(target))
}

async function closeWindows(world: World): Promise<void> {
  for (const target of signInWindows(world)) {
    await target
      .page()
      .then((opened) => opened?.close())
      .catch(() => {})
  }
}

/** What the operator asks is allowed: a fault may have made it forget. */
async function allow(world: World): Promise<void> {
  for (const target of signInWindows(world)) {
    await target
      .page()
      .then((opened) =>
        opened?.evaluate(() => {
          document.querySelector<HTMLButtonElement>('[data-form=consent] [value=allow]')?.click()
        }),
      )
      .catch(() => {})
  }
}

function call({ page }: World, method: string, params?: object): Promise<Settled> {
  return page.evaluate(
    (name, given) => window.call(name, given),
    method,
    params as Record<string, unknown>,
  ) as Promise<Settled>
}

async function happen(world: World, event: Event): Promise<void> {
  await pause(event.afterMs)
  switch (event.type) {
    case 'stop-worker':
      return world.stopWorker()
    case 'close-window':
      return closeWindows(world)
    case 'reload-page':
      await world.page.reload().catch(() => {})
      return
    case 'ask-twice':
      await call(world, 'northbound_connect', world.wish).catch(() => {})
  }
}

/** One flow, until its call has settled. */
async function run(world: World, flow: PlannedFlow): Promise<string> {
  const { page, wish } = world
  await page.bringToFront()
  let over = false
  const asked = call(world, 'northbound_connect', wish)
    .catch((): Settled => ({}))
    .then((settled) => {
      over = true
      return settled
    })
  const event = flow.event ? happen(world, flow.event) : Promise.resolve()
  const user = (async () => {
    const end = Date.now() + PATIENCE_MS
    while (!over && Date.now() < end) {
      await pause(100)
      await allow(world)
    }
    if (!over) await closeWindows(world)
  })()
  const late = pause(LIMIT_MS).then((): 'never' => 'never')
  const settled = await Promise.race([asked, late])
  if (settled === 'never') return 'never settled'
  await Promise.all([event, user])
  if (settled.error) return describe(settled.error)
  if (settled.result === undefined) return 'page left'
  if (flow.use) {
    const url = `${wish.apis[0]?.resource}/storm/subscriptions`
    const used = await call(world, 'northbound_fetch', { url })
    if (used.error && !EXPECTED.includes(used.error.code)) return describe(used.error)
  }
  return 'granted'
}

function describe({ code, data }: ProviderErrorObject): string {
  return EXPECTED.includes(code) ? data.error : `unexpected ${code} ${data.error}`
}

/** Flow records of the broker, as many as there are. */
function pendingRecords({ inside }: World): Promise<number> {
  return inside.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name)
    if (!names.includes('northkey-flows')) return 0
    const opening = indexedDB.open('northkey-flows')
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      opening.onsuccess = () => resolve(opening.result)
      opening.onerror = () => reject(opening.error)
    })
    const counting = database.transaction('flows').objectStore('flows').count()
    const count = await new Promise<number>((resolve) => {
      counting.onsuccess = () => resolve(counting.result)
    })
    database.close()
    return count
  })
}

/** Looks again for a while: a stopped worker finishes what it finds when it wakes. */
async function settles(what: string, look: () => Promise<boolean>): Promise<string[]> {
  for (let time = 0; time < 100; time++) {
    if (await look()) return []
    await pause(100)
  }
  return [what]
}

/** What the servers saw since the last look. */
function judge(world: World, codes: Map<string, number>): string[] {
  const { network, outside, application } = world
  const found: string[] = []
  for (const { server, path, body, headers } of network.log.entries) {
    if (headers.authorization !== undefined && server !== 'api-exposing-functions') {
      found.push(`a token went to ${server} ${path}`)
    }
    if (!path.endsWith('/token')) continue
    const { code } = (body ?? {}) as { code?: string }
    if (code === undefined) continue
    codes.set(code, (codes.get(code) ?? 0) + 1)
    if (codes.get(code) === 2) found.push('a code was sent twice')
  }
  for (const url of [...outside.requests, ...application.requests]) {
    if (/code=|token=/.test(url)) found.push('a code or token left its way')
  }
  network.log.clear()
  outside.requests.length = 0
  application.requests.length = 0
  return found
}

async function keepQuiet({ network }: World): Promise<() => void> {
  const path = '/.well-known/openid-configuration'
  const response = await fetch(network.issuer + path)
  // Without the endpoint the operator never hears that a grant was given back, and asks no more.
  const { revocation_endpoint: _, ...metadata } = (await response.json()) as Record<string, unknown>
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const body = JSON.stringify(metadata)
  return () => {
    for (const each of [path, '/.well-known/oauth-authorization-server']) {
      network.faults.add({ path: each, action: { type: 'status', status: 200, headers, body } })
    }
    // On a connection that served before, the browser itself repeats what broke.
    network.faults.add({ action: { type: 'header', headers: { connection: 'close' } } })
  }
}

/** @param builds Folder with a development build for Chromium. */
export async function storm(
  seed: number,
  flows: number,
  builds: string,
  report: (line: string) => void = () => {},
): Promise<StormReport> {
  const world = await startWorld(builds)
  const { network } = world
  const begun = performance.now()
  const codes = new Map<string, number>()
  const result: StormReport = {
    flows,
    outcomes: {},
    faultsApplied: 0,
    workerStops: 0,
    codesSent: 0,
    violations: [],
    done: [],
    seconds: 0,
  }
  const violated = (where: number, found: string[]) => {
    for (const one of found) result.violations.push(`flow ${where}: ${one}`)
  }
  try {
    const quiet = await keepQuiet(world)
    quiet()
    await signInOnce(world)
    await call(world, 'northbound_revoke')
    network.log.clear()
    for (const [index, flow] of plan(seed, flows).entries()) {
      network.faults.clear()
      const fault = flow.fault && network.faults.add(flow.fault)
      quiet()
      const outcome = await run(world, flow)
      result.done.push(flow)
      result.outcomes[outcome] = (result.outcomes[outcome] ?? 0) + 1
      if (fault) result.faultsApplied += network.faults.find(fault)?.applied ?? 0
      if (flow.event?.type === 'stop-worker') result.workerStops += 1
      if (/^(never|unexpected)/.test(outcome)) violated(index, [outcome])
      network.faults.clear()
      quiet()
      const given = await call(world, 'northbound_revoke').catch((): Settled => ({}))
      if (given.error) violated(index, [`revoke: ${describe(given.error)}`])
      violated(index, judge(world, codes))
      if (index % CHECK_EVERY === CHECK_EVERY - 1 || index === flows - 1) {
        violated(
          index,
          await settles('a window stays', async () => signInWindows(world).length === 0),
        )
        violated(
          index,
          await settles('a record stays', async () => (await pendingRecords(world)) === 0),
        )
        report(`${index + 1} of ${flows}: ${JSON.stringify(result.outcomes)}`)
      }
    }
  } finally {
    await world.close()
  }
  result.codesSent = codes.size
  result.seconds = Math.round((performance.now() - begun) / 1_000)
  return result
}
