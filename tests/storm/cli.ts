/**
 * Implements `npm run storm -- --flows 1000 --seed N`: runs a storm, and prints its figures and violations.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { ensureBrowsers } from '../../scripts/browsers.ts'
import { buildModes } from '../../scripts/build.ts'
import { createPlan } from './plan.ts'
import { runStorm, type StormReport } from './storm.ts'

function parseWholeNumber(name: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name}: expected a whole number from 0`)
}

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Runs the same storm twice and compares the results. */
    twice: { type: 'boolean', default: false },
  },
})
const flows = parseWholeNumber('flows', values.flows)
const seed = parseWholeNumber('seed', values.seed)

async function runOnce(builds: string): Promise<StormReport> {
  const report = await runStorm(seed, flows, builds, (line) => console.log(line))
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

await ensureBrowsers(['chromium'])
const builds = await mkdtemp(join(tmpdir(), 'northkey-storm-'))
try {
  await buildModes(['chromium-development'], builds)
  console.log(`Storm of ${flows} flows, seed ${seed}`)
  const first = await runOnce(builds)
  if (values.twice) compareReports(first, await runOnce(builds))
} finally {
  await rm(builds, { recursive: true, force: true })
}
