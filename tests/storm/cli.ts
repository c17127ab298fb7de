/** `npm run storm -- --flows 1000 --seed N`: a storm, its figures, and whether anything broke. */

import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { ensureBrowsers } from '../../scripts/browsers.ts'
import { buildModes } from '../../scripts/build.ts'
import { plan } from './plan.ts'
import { storm } from './storm.ts'

function wholeNumber(name: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name}: expected a whole number from 0`)
}

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const flows = wholeNumber('flows', values.flows)
const seed = wholeNumber('seed', values.seed)

await ensureBrowsers(['chromium'])
const builds = await mkdtemp(join(tmpdir(), 'northkey-storm-'))
try {
  await buildModes(['chromium-development'], builds)
  const planned = plan(seed, flows)
  const digest = createHash('sha256').update(JSON.stringify(planned)).digest('hex').slice(0, 16)
  console.log(`Storm of ${flows} flows, seed ${seed}, choices ${digest}`)
  const report = await storm(seed, flows, builds, (line) => console.log(line))
  if (!isDeepStrictEqual(report.done, planned))
    report.violations.push('the choices were not the planned ones')
  const { done: _, ...figures } = report
  console.log(JSON.stringify(figures, undefined, 2))
  process.exitCode = report.violations.length === 0 ? 0 : 1
} finally {
  await rm(builds, { recursive: true, force: true })
}
