/**
 * What `npm test` runs: every test. A file that opens browsers and failed is run a second time, from its
 * start: a browser on a busy machine is late or loses a window, after which the rest of its file finds
 * nothing as it should be; what is broken fails again. Takes the arguments of `vitest run`.
 */

import { relative } from 'node:path'
import { parseCLI, startVitest } from 'vitest/node'

/** More at once are no accident. */
const MOST_FILES = 4

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const run = (files: string[], project = options.project) =>
  startVitest('test', files, { ...options, watch: false, ...(project && { project }) })

const { state } = await run(filter)
const failed = state.getTestModules().filter((each) => !each.ok())
const files = failed.map(({ moduleId }) => moduleId)
const errors = state.getUnhandledErrors() as { VITEST_TEST_PATH?: string }[]
const mayBeLate =
  // With these not everything has been run that should be, or would not be the second time.
  !options.bail &&
  !options.shard &&
  files.length > 0 &&
  files.length <= MOST_FILES &&
  failed.every(({ project }) => project.name === 'browser') &&
  errors.every(({ VITEST_TEST_PATH = '' }) => files.includes(VITEST_TEST_PATH))
if (mayBeLate) {
  const names = files.map((file) => relative('', file)).join(', ')
  console.log(`Once more: ${names}`)
  process.exitCode = undefined
  await run(files, 'browser')
  console.log(`Run twice, since they failed the first time: ${names}`)
}
process.exit()
