/**
 * Implements `npm run bench:broker`: measures the broker in Chromium and Firefox as ratios to the
 * contestants of the same run. The contestants take turns in short slices; the medians of the slices'
 * ratios are printed.
 *
 * `-- --browser firefox --only token --only fetch` measures a part.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BrowserName, ensureBrowsers } from '../../scripts/browsers.ts'
import { ALL_MODES, buildModes } from '../../scripts/build.ts'
import { measureFirstSignIn } from './broker/first-sign-in.ts'
import {
  measureColdStart,
  measureExpiry,
  measureFetch,
  measureManyGrants,
  measurePeer,
  measureThousandCalls,
  measureToken,
  type Row,
} from './broker/measures.ts'
import { measurePageLoad } from './broker/page-load.ts'
import { measureSizes } from './broker/sizes.ts'
import { startBenchStage } from './broker/stage.ts'
import { type Goal, printTable } from './report.ts'

const PARTS = [
  'token',
  'cold',
  'fetch',
  'thousand',
  'expiry',
  'first',
  'page',
  'grants',
  'peer',
] as const
type Part = (typeof PARTS)[number]

const { values: flags } = parseArgs({
  options: { browser: { type: 'string' }, only: { type: 'string', multiple: true } },
})
const BROWSERS = (['chromium', 'firefox'] as const).filter(
  (name) => flags.browser === undefined || flags.browser === name,
)
const isRequested = (part: Part) => flags.only === undefined || flags.only.includes(part)
const unknown = flags.only?.find((part) => !(PARTS as readonly string[]).includes(part))
if (BROWSERS.length === 0) throw new Error('--browser: expected chromium or firefox')
if (unknown !== undefined) throw new Error(`--only: expected some of ${PARTS.join(', ')}`)

async function measureBrowser(
  name: BrowserName,
  builds: string,
): Promise<{ rows: Row[]; goals: Goal[] }> {
  const stage = await startBenchStage(name, builds)
  const rows: Row[] = []
  const goals: Goal[] = []
  const addGoals = (measured: Goal[]) => {
    for (const goal of measured) {
      goals.push(goal)
      console.log(`${name}: ${goal.name}: ${goal.measured} (${goal.limit})`)
    }
  }
  const addRows = (...measured: (Row | undefined)[]) => {
    for (const row of measured) {
      if (!row) continue
      rows.push(row)
      console.log(`${name}: ${row.name}: ${row.ratio.toFixed(2)} (${row.time}, ${row.base})`)
    }
  }
  try {
    if (isRequested('token')) addRows(await measureToken(stage))
    if (isRequested('cold')) addRows(await measureColdStart(stage))
    if (isRequested('fetch')) addRows(...(await measureFetch(stage)))
    if (isRequested('thousand')) addRows(...(await measureThousandCalls(stage)))
    if (isRequested('expiry')) addGoals(await measureExpiry(stage))
    if (isRequested('first')) addGoals(await measureFirstSignIn(stage))
    if (isRequested('page')) addGoals(await measurePageLoad(stage))
    if (isRequested('grants')) addRows(await measureManyGrants(stage))
    try {
      if (isRequested('peer')) addRows(...(await measurePeer(stage)))
    } catch (error) {
      console.log(`${name}: the peer was not measured: ${(error as Error).message}`)
    }
    return { rows, goals }
  } finally {
    await stage.close()
  }
}

const builds = await mkdtemp(join(tmpdir(), 'northkey-bench-'))
const goals: Goal[] = []
try {
  await ensureBrowsers(BROWSERS)
  await buildModes(
    ALL_MODES.filter((mode) => mode !== 'demo-site'),
    builds,
  )
  for (const name of BROWSERS) {
    const measured = await measureBrowser(name, builds)
    printTable(
      name,
      ['', 'time', 'beside', 'ratio'],
      measured.rows.map(({ name, time, base, ratio }) => [name, time, base, ratio.toFixed(2)]),
    )
    goals.push(
      ...measured.rows
        .filter(({ limit }) => Number.isFinite(limit))
        .map((row) => ({
          name: `${name}: ${row.name}`,
          measured: row.ratio.toFixed(2),
          limit: String(row.limit),
          met: row.ratio <= row.limit,
        })),
      ...measured.goals.map((goal) => ({ ...goal, name: `${name}: ${goal.name}` })),
      ...(await measureSizes(builds, name)),
    )
  }
} finally {
  await rm(builds, { recursive: true, force: true })
}
printTable(
  'Goals',
  ['', 'measured', 'goal', ''],
  goals.map(({ name, measured, limit, met }) => [name, measured, limit, met ? 'met' : 'MISSED']),
)
process.exit(goals.every(({ met }) => met) ? 0 : 1)
