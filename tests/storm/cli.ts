/**
 * Implements `npm run storm -- --flows 1000 --seed N --browser firefox`: runs a storm, and prints its figures and violations.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { type BrowserName, ensureBrowsers } from '../../scripts/browsers.ts'
import { buildModes } from '../../scripts/build.ts'
import { createPlan } from './plan.ts'
import { runStorm, type StormReport } from './storm.ts'

function parseWholeNumber(name: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name}: expected a whole number from 0`)
}

function parseBrowser(value: string): BrowserName {
  if (value === 'chromium' || value === 'firefox') return value
  throw new Error('--browser: expected chromium or firefox')
}

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    browser: { type: 'string', default: 'chromium' },
    /** Runs the same storm twice and compares the results. */
    twice: { type: 'boolean', default: false },
  },
})
const flows = parseWholeNumber('flows', values.flows)
const seed = parseWholeNumber('seed', values.seed)
const browser = parseBrowser(values.browser)

async function runOnce(builds: string): Promise<StormReport> {
  const report = await runStorm({
    browser,
    seed,
    flows,
    builds,
    report: (line) => console.log(line),
  })
  const { results: _, ...figures } = report
  console.log(JSON.stringify(figures, undefined, 2))
  if (report.violations.length > 0) process.exitCode = 1
  return report
}

/** Prints the flows whose result differs between the two runs. */
function compareReports(first: StormReport, second: StormReport): void {
  const planned = createPlan(seed, flows)
  const differences = planned.flatMap((flow, index) => {
    const [before, after] = [first.results[index], second.results[index]]
    return isDeepStrictEqual(before, after) ? [] : [{ index, flow, before, after }]
  })
  for (const difference of differences) console.log(JSON.stringify(difference))
  const { seconds: _, ...figures } = first
  const { seconds: __, ...secondFigures } = second
  const isEqual = differences.length === 0 && isDeepStrictEqual(figures, secondFigures)
  console.log(isEqual ? 'The same storm twice' : 'Not the same storm')
  if (!isEqual) process.exitCode = 1
}

await ensureBrowsers([browser])
const builds = await mkdtemp(join(tmpdir(), 'northkey-storm-'))
try {
  await buildModes([`${browser}-development`], builds)
  console.log(`Storm of ${flows} flows in ${browser}, seed ${seed}`)
  const first = await runOnce(builds)
  if (values.twice) compareReports(first, await runOnce(builds))
} finally {
  await rm(builds, { recursive: true, force: true })
}
