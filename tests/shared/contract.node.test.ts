/**
 * Checks tests/browser/contract for completeness against the page contract, which lies beside the repository:
 * every row of its tables, every error in them, every parameter and every bullet has a test.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { LINES } from '../browser/contract/lines.ts'

const CONTRACT = fileURLToPath(new URL('../../../shared/design/PAGE-API.md', import.meta.url))
const PAGE = fileURLToPath(new URL('../../docs/page-api.md', import.meta.url))
const FOLDER = fileURLToPath(new URL('../browser/contract', import.meta.url))
/** Covers a full disk, which no browser test can produce. */
const STORAGE = '../../extension/background/platform/open-database.test.ts'

/** Covers a policy of the browser, which is not set by a test of a page. */
const POLICY = '../allow-list-policy.test.ts'

/** Titles in the test files: strings with their subject before a colon. */
const titles = [...readdirSync(FOLDER), STORAGE, POLICY]
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => [
    ...readFileSync(join(FOLDER, file), 'utf8').matchAll(/'([^'\n]+: [^'\n]+)'/g),
  ])
  .map(([, title = '']) => title)

/** The cells of the table rows of a Markdown text whose first cell matches. */
function rows(markdown: string, first: RegExp): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
    .filter(([cell = '']) => first.test(cell))
}

/** The texts in backticks. */
const code = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, it = '']) => it)

/** Names of members in a shape such as `{ a, b?: 'x' | 'y' }`. */
const members = (shape: string): string[] =>
  shape.replaceAll(/'\w+'/g, '').match(/[a-z]\w*/gi) ?? []

/** Rows of the tables, errors and parameters in them, and events that have no title. */
function untestedRows(markdown: string, all: readonly string[]): string[] {
  const errors = rows(markdown, /^-?\d+$/).flatMap(([number, words = '']) =>
    code(words).map((word) => `${number} ${word}`),
  )
  const [, rest = ''] = markdown.split(/^## .*Events$/m)
  const [section = ''] = rest.split(/^## /m)
  const events = [...section.matchAll(/`(\w+)`[ |]+`\{/g)].map(([, event = '']) => event)
  const named = [...errors, ...events].filter(
    (start) => !all.some((title) => title.includes(`${start}: `)),
  )
  const methods = rows(markdown, /^\[?`\w+_\w+`/).flatMap(([name = '', params = '']) => {
    const [method = ''] = code(name)
    const about = all.filter((title) => title.startsWith(`${method}: `)).join(' ')
    if (!about) return [method]
    return members(code(params)[0] ?? '')
      .filter((member) => !new RegExp(`\\b${member}\\b`).test(about))
      .map((member) => `${method} ${member}`)
  })
  return [...named, ...methods]
}

const bulletsOf = (markdown: string) => markdown.split('\n').filter((line) => line.startsWith('- '))

describe('tests/browser/contract', () => {
  test('has a test for each method, parameter, event, code and error of docs/page-api.md', () => {
    expect(untestedRows(readFileSync(PAGE, 'utf8'), titles)).toEqual([])
  })

  test('has each test that lines.ts lists', () => {
    const named = Object.values(LINES).flat()
    expect(named.filter((title) => !titles.includes(title))).toEqual([])
  })

  test('has a test for each line of the contract’s tables, and for each bullet', ({ skip }) => {
    skip(!existsSync(CONTRACT), 'did not run: ../shared/design/PAGE-API.md is missing')
    const contract = readFileSync(CONTRACT, 'utf8')
    const starts = Object.keys(LINES)
    const bullets = bulletsOf(contract)
    expect(rows(contract, /^-?\d+$/)).toHaveLength(15)
    expect(rows(contract, /^`\w+_\w+`$/)).toHaveLength(7)
    expect(untestedRows(contract, titles)).toEqual([])
    expect(bullets.filter((bullet) => !starts.some((start) => bullet.startsWith(start)))).toEqual(
      [],
    )
    expect(starts.filter((start) => !bullets.some((bullet) => bullet.startsWith(start)))).toEqual(
      [],
    )
  })

  test('is checked by a test that can fail', () => {
    const markdown = [
      "| `northbound_x` | `{ a, b?: 'c' \\| 'd' }` | `{}` | no |",
      '| 4999 | `one`, `other` | never |',
      '## 3. Events',
      '`happened` `{ it }` · `ended` `{}`',
    ].join('\n')
    const all = ['northbound_x: with a', '4999 one: so', 'happened: { it }']
    const missing = ['4999 other', 'ended', 'northbound_x b']
    expect(untestedRows(markdown, all)).toEqual(missing)
    expect(untestedRows(markdown, [])).toContain('northbound_x')
    expect(
      untestedRows(markdown, [...all, '4999 other: x', 'ended: x', 'northbound_x: b']),
    ).toEqual([])
  })
})
