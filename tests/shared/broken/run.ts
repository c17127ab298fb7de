/**
 * Mutation testing of the core (`npm run test:broken`): shows for each unit row of the catalogue that its tests
 * can fail. For each mutation the tests of the row run against the mutated core, and at least one test has to
 * fail. No file is written: a mutation is applied while the core is loaded. Arguments select rows:
 * `npm run test:broken -- J04 T06`.
 */

import { fileURLToPath } from 'node:url'
import { createVitest } from 'vitest/node'
import { MUTATIONS, type Mutation } from './mutations.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

interface Outcome {
  ran: number
  failed: number
  missing: string[]
}

async function runAgainst({ row, tests, edits }: Mutation): Promise<Outcome> {
  const missing = new Set(edits.map(({ search }) => search))
  const vitest = await createVitest(
    'test',
    {
      root,
      config: false,
      watch: false,
      include: [tests],
      testNamePattern: new RegExp(`(?<![\\w-])${row}(?!\\d)`),
      reporters: [{}],
      pool: 'threads',
      maxWorkers: 1,
      isolate: false,
      silent: true,
    },
    {
      logLevel: 'silent',
      plugins: [
        {
          name: 'broken',
          enforce: 'pre',
          transform(code, id) {
            let text = code
            for (const { file, search, replace } of edits) {
              if (id !== root + file || !text.includes(search)) continue
              missing.delete(search)
              text = text.replaceAll(search, replace)
            }
            return text === code ? null : { code: text, map: null }
          },
        },
      ],
    },
  )
  const { exitCode } = process
  try {
    const { testModules, unhandledErrors } = await vitest.start()
    const results = testModules
      .flatMap((module) => [...module.children.allTests()])
      .map((task) => task.result().state)
    const crashed = testModules.filter((module) => module.errors().length > 0).length
    return {
      ran: results.filter((state) => state !== 'skipped').length,
      failed: results.filter((state) => state === 'failed').length + (unhandledErrors.length && 1),
      missing: crashed > 0 ? ['the file of tests did not load'] : [...missing],
    }
  } finally {
    await vitest.close()
    process.exitCode = exitCode
  }
}

function verdict({ ran, failed, missing }: Outcome): string | undefined {
  if (missing.length > 0) return `not broken as planned: ${missing.join(', ')}`
  if (ran === 0) return 'no test of this row ran'
  return failed === 0 ? `${ran} tests passed against the broken core` : undefined
}

const wanted = new Set(process.argv.slice(2))
const chosen = MUTATIONS.filter(({ row }) => wanted.size === 0 || wanted.has(row))
let unnoticed = 0
for (const mutation of chosen) {
  const outcome = await runAgainst(mutation)
  const fault = verdict(outcome)
  if (fault !== undefined) unnoticed++
  console.log(
    `${mutation.row.padEnd(5)} ${fault ?? `noticed by ${outcome.failed} of ${outcome.ran}`}`,
  )
}
console.log(`\n${chosen.length - unnoticed} of ${chosen.length} broken versions were noticed.`)
process.exit(unnoticed === 0 && chosen.length > 0 ? 0 : 1)
