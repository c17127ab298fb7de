/**
 * Runs the checks of `npm test` one after the other, or with `--full` those of `npm run test:full`, and
 * prints how long each took. Ends at the first that fails, with its exit code.
 */

import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { ensureBrowsers } from './browsers.ts'

interface Step {
  name: string
  /** A command of this package's own, or of a package that it depends on. */
  command: string[]
}

/** Types, style, and every test but those in `FULL`. */
const QUICK: Step[] = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'tests', command: ['npx', 'vitest', 'run', '--project', '!full:*'] },
]

/** What `npm test` leaves out: the rest of Firefox, real time, a second and longer storm. */
const FULL: Step[] = [
  { name: 'tests', command: ['npx', 'vitest', 'run', '--project', 'full:*'] },
  { name: 'storm', command: ['npm', 'run', 'storm', '--', '--flows', '100', '--seed', '7'] },
]

function run([program = '', ...args]: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', shell: process.platform === 'win32' })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function inMinutes(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

async function runSteps(steps: Step[]): Promise<number> {
  const times: string[] = []
  const start = performance.now()
  let exitCode = 0
  for (const { name, command } of steps) {
    const before = performance.now()
    exitCode = await run(command)
    times.push(`${name} ${inMinutes(performance.now() - before)}`)
    if (exitCode !== 0) break
  }
  const verdict = exitCode === 0 ? 'passed' : 'failed'
  console.log(`\n${verdict} in ${inMinutes(performance.now() - start)}: ${times.join(', ')}`)
  return exitCode
}

const { values } = parseArgs({ options: { full: { type: 'boolean', default: false } } })
try {
  await ensureBrowsers(['chromium', 'firefox'])
  process.exitCode = await runSteps(values.full ? FULL : QUICK)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
