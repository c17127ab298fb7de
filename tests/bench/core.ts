/**
 * Implements `npm run bench:core`: measures the core as ratios to its peers in one run. The contestants
 * take turns in short slices, so that other load of the machine affects all of them equally; medians are
 * compared.
 */

import { measureExchange } from './core-exchange.ts'
import { measurePairs } from './core-pairs.ts'
import { measureSizes } from './core-sizes.ts'
import { type Goal, printTable } from './report.ts'

const goals: Goal[] = []

const pairs = await measurePairs()
printTable(
  'PKCE pairs, one after the other (Node)',
  ['', 'pairs/s', 'time of northkey ÷'],
  pairs.rows,
)
goals.push(...pairs.goals)

const exchange = await measureExchange()
printTable(
  'One code exchange against a server in this process',
  ['', 'ms (median)', '÷ oauth4webapi'],
  exchange.rows,
)
goals.push(...exchange.goals)

const sizes = await measureSizes()
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
