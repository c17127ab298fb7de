/**
 * `npm run bench:core`: the core beside its peers, as ratios in one run. Who is measured takes turns in
 * short slices, so that whatever else the machine does falls on all alike; medians are compared.
 */

import { exchangeRow } from './core-exchange.ts'
import { pairRows } from './core-pairs.ts'
import { sizeRows } from './core-sizes.ts'
import { type Goal, printTable } from './report.ts'

const goals: Goal[] = []

const pairs = await pairRows()
printTable(
  'PKCE pairs, one after the other (Node)',
  ['', 'pairs/s', 'time of northkey ÷'],
  pairs.rows,
)
goals.push(...pairs.goals)

const exchange = await exchangeRow()
printTable(
  'One code exchange against a server in this process',
  ['', 'ms (median)', '÷ oauth4webapi'],
  exchange.rows,
)
goals.push(...exchange.goals)

const sizes = await sizeRows()
printTable(
  'Size for the same job: discovery, code flow, refresh, revocation',
  ['', 'minified', 'gzip', '÷ northkey/core'],
  sizes.rows,
)
goals.push(...sizes.goals)

printTable(
  'Goals',
  ['', 'measured', 'goal', ''],
  goals.map(({ name, measured, limit, met }) => [name, measured, limit, met ? 'met' : 'MISSED']),
)
process.exitCode = goals.every(({ met }) => met) ? 0 : 1
