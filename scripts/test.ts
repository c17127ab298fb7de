/**
 * Runs the checks of `npm test` one after the other, or with `--full` those of `npm run test:full`, and
 * prints the time of each. The first check that fails ends the run, and its exit code is that of the script.
 */

import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { ensureBrowsers } from './browsers.ts'

interface Step {
  name: string
  /** Command of this package, or of one of its dependencies. */
  command: string[]
}

/** Checks of `npm test`: types, lint, and every test except those of `FULL`. */
const QUICK: Step[] = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'tests', command: ['npx', 'vitest', 'run', '--project', '!full:*'] },
]

/**
 * Checks that `npm test` leaves out: the remaining tests in Firefox, tests in real time, a second and
 * longer storm.
 */
const FULL: Step[] = [
  { name: 'tests', command: ['npx', 'vitest', 'run', '--project', 'full:*'] },
  { name: 'storm', command: ['npm', 'run', 'storm', '--', '--flows', '100', '--seed', '7'] },
]

function runCommand([program = '', ...args]: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', shell: process.platform === 'win32' })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function formatMinutes(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

async function runSteps(steps: Step[]): Promise<number> {
  const times: string[] = []
  const start = performance.now()
  let exitCode = 0
  for (const { name, command } of steps) {
    const before = performance.now()
    exitCode = await runCommand(command)
    times.push(`${name} ${formatMinutes(performance.now() - before)}`)
    if (exitCode !== 0) break
  }
  const verdict = exitCode === 0 ? 'passed' : 'failed'
  console.log(`\n${verdict} in ${formatMinutes(performance.now() - start)}: ${times.join(', ')}`)
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
