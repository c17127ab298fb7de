/** `npm run storm -- --flows 1000 --seed N`: a storm, its figures, and whether anything broke. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { ensureBrowsers } from '../../scripts/browsers.ts'
import { buildModes } from '../../scripts/build.ts'
import { plan } from './plan.ts'
import { type StormReport, storm } from './storm.ts'

function wholeNumber(name: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name}: expected a whole number from 0`)
}

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Makes the same storm twice and compares. */
    twice: { type: 'boolean', default: false },
  },
})
const flows = wholeNumber('flows', values.flows)
const seed = wholeNumber('seed', values.seed)

async function once(builds: string): Promise<StormReport> {
  const report = await storm(seed, flows, builds, (line) => console.log(line))
  const { came: _, ...figures } = report
  console.log(JSON.stringify(figures, undefined, 2))
  if (report.violations.length > 0) process.exitCode = 1
  return report
}

/** Says of which flows something else came the second time. */
function compare(first: StormReport, second: StormReport): void {
  const planned = plan(seed, flows)
  const others = planned.flatMap((flow, index) => {
    const [before, after] = [first.came[index], second.came[index]]
    return isDeepStrictEqual(before, after) ? [] : [{ index, flow, before, after }]
  })
  for (const other of others) console.log(JSON.stringify(other))
  const { seconds: _, ...figures } = first
  const { seconds: __, ...again } = second
  const same = others.length === 0 && isDeepStrictEqual(figures, again)
  console.log(same ? 'The same storm twice' : 'Not the same storm')
  if (!same) process.exitCode = 1
}

await ensureBrowsers(['chromium'])
const builds = await mkdtemp(join(tmpdir(), 'northkey-storm-'))
try {
  await buildModes(['chromium-development'], builds)
  console.log(`Storm of ${flows} flows, seed ${seed}`)
  const first = await once(builds)
  if (values.twice) compare(first, await once(builds))
} finally {
  await rm(builds, { recursive: true, force: true })
}
