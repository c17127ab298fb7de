/**
 * Runs each test of the files given by itself: the first test of every file, then the second of every file,
 * and so on. With `--shuffle SEED` it runs all tests once, in another order. A test that fails here stands
 * on another test.
 *
 * `npm run test:alone -- FILE… [--project firefox] [--shuffle SEED]`; without a file all of the project.
 */

import { parseArgs } from 'node:util'
import { createVitest, type TestCase, type TestModule } from 'vitest/node'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { project: { type: 'string', default: 'chromium' }, shuffle: { type: 'string' } },
})
const seed = values.shuffle === undefined ? undefined : Number(values.shuffle)
if (seed !== undefined && !Number.isSafeInteger(seed)) {
  console.error('--shuffle: expected a whole number, the seed of the order')
  process.exit(2)
}

const vitest = await createVitest('test', {
  watch: false,
  project: values.project,
  ...(seed === undefined ? {} : { sequence: { shuffle: { tests: true }, seed } }),
})

// Prepares the reporters; runs nothing.
await vitest.standalone()

/** @returns How many tests passed, and which failed. */
function judge(modules: readonly TestModule[], expected?: readonly string[]) {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const counted = expected ? tests.filter(({ id }) => expected.includes(id)) : tests
  const named = (test: TestCase) => `${test.module.relativeModuleId} › ${test.fullName}`
  const failed = counted.filter((test) => test.result().state === 'failed').map(named)
  const passed = counted.filter((test) => test.result().state === 'passed').length
  const broken = modules.filter((module) => module.errors().length > 0)
  return { passed, failed: [...failed, ...broken.map((module) => module.relativeModuleId)] }
}

async function runAlone(): Promise<{ passed: number; failed: string[] }> {
  const specifications = await vitest.getRelevantTestSpecifications(positionals)
  const { testModules } = await vitest.collectTests(specifications)
  const byFile = testModules.map((module) => ({
    moduleId: module.moduleId,
    project: module.project,
    ids: [...module.children.allTests()]
      .filter(({ options }) => options.mode === 'run')
      .map(({ id }) => id),
  }))
  const total = { passed: 0, failed: [] as string[] }
  const longest = Math.max(0, ...byFile.map(({ ids }) => ids.length))
  for (let index = 0; index < longest; index += 1) {
    const round = byFile.filter(({ ids }) => ids[index] !== undefined)
    const ids = round.map((file) => file.ids[index] as string)
    const { testModules: ran } = await vitest.runTestSpecifications(
      round.map((file, at) =>
        file.project.createSpecification(file.moduleId, { testIds: [ids[at] as string] }),
      ),
    )
    const { passed, failed } = judge(ran, ids)
    total.passed += passed
    total.failed.push(...failed)
  }
  return total
}

async function runShuffled(): Promise<{ passed: number; failed: string[] }> {
  const specifications = await vitest.getRelevantTestSpecifications(positionals)
  const { testModules } = await vitest.runTestSpecifications(specifications)
  return judge(testModules)
}

const { passed, failed } = seed === undefined ? await runAlone() : await runShuffled()
const how = seed === undefined ? 'each alone' : `in the order of seed ${seed}`
console.log(`\n${values.project}: ${passed} tests passed, ${failed.length} failed, ${how}`)
for (const name of failed) console.log(`  ${name}`)
await vitest.close()
// No file, or a file in which nothing ran, is no proof.
process.exit(failed.length > 0 || passed === 0 ? 1 : 0)
