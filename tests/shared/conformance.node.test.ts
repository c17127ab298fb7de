/**
 * Checks docs/conformance.md: it has a row for each of the 238 ids of the catalogue, every row has a proof,
 * and every test that it names exists. The ids are counted here, so that no file beside the repository is
 * needed.
 *
 * Seen to fail when a row is removed, when it is there twice, and when a title is changed.
 */

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const document = readFileSync(`${root}docs/conformance.md`, 'utf8')

interface Row {
  id: string
  where: string
  what: string
  proofs: string[]
}

/** The rows of all tables with the head `id | where | what | proof`. */
function rowsOf(markdown: string): Row[] {
  let isTable = false
  const rows: Row[] = []
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) isTable = false
    else if (/^\| id \| where \| what \| proof \|$/.test(line)) isTable = true
    else if (isTable && !/^\|[-|]+\|$/.test(line)) {
      const cells = line.split(/(?<!\\)\|/).slice(1, -1)
      const [id = '', where = '', what = '', proof = ''] = cells.map((cell) =>
        cell.trim().replaceAll('\\|', '|'),
      )
      rows.push({ id, where, what, proofs: proof.split('<br>').filter((part) => part !== '') })
    }
  }
  return rows
}

const sources = new Map<string, string>()

/** The text of a test file without the escapes of its strings, or an empty string for a missing file. */
function sourceOf(file: string): string {
  const known = sources.get(file)
  if (known !== undefined) return known
  const text = existsSync(root + file) ? readFileSync(root + file, 'utf8') : ''
  const source = text.replaceAll(/\\(['"`\\])/g, '$1')
  sources.set(file, source)
  return source
}

/** The fault of a proof, or `undefined` for a valid one. */
function faultOf(proof: string): string | undefined {
  if (/^does not concern us: \S.{10,}/.test(proof)) return undefined
  const [, file, title] = /^`(tests\/[\w./-]+\.test\.tsx?)` › (.+)$/.exec(proof) ?? []
  if (file === undefined || title === undefined) return `no proof: ${proof}`
  const source = sourceOf(file)
  if (source === '') return `no file: ${file}`
  const isThere = [`'${title}'`, `\`${title}\``, `"${title}"`].some((text) => source.includes(text))
  return isThere ? undefined : `no test: ${file} › ${title}`
}

function faultsOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ id, proofs }) => [
    ...(proofs.length === 0 ? [`${id}: no proof`] : []),
    ...proofs.flatMap((proof) => faultOf(proof) ?? []),
  ])
}

/** Number of rows for each letter of the catalogue. */
const CATALOGUE = {
  P: 16,
  R: 29,
  T: 19,
  J: 23,
  D: 19,
  M: 8,
  C: 22,
  B: 26,
  E: 18,
  K: 13,
  L: 16,
  N: 12,
  X: 17,
}

const catalogueIds = Object.entries(CATALOGUE).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(2, '0')
    return letter === 'M' ? `M-${number}` : letter + number
  }),
)

/** Rows of the flow that require a unit test. */
const UNIT = [
  ...'P01 P02 P03 P05 P07 P08 P10 P14 P15'.split(' '),
  ...'R05 R06 R07 R08 R09 R10 R11 R13 R20 R22 R23 R28'.split(' '),
  ...'T02 T05 T06 T07 T08 T10 T11 T12 T19'.split(' '),
  ...'J01 J02 J03 J04 J05 J06 J07 J08 J09 J10 J11 J12 J13 J14 J15 J16 J17 J19 J20 J21 J23'.split(
    ' ',
  ),
  ...'D01 D02 D09 D10 D14 D16'.split(' '),
  ...'M-01 M-02 M-03 M-07'.split(' '),
]

/** Id of a row of the first table: a requirement of a specification, not of the catalogue. */
const REQUIREMENT = /^S\d\d$/

/** Id of a row of the section "Trust". */
const TRUST = /^A(0\d|10|11[a-k])$/

/** Id of a row of the section on honest servers and the first hour. */
const FIELD = /^(H\d\d[a-z]?|[FW]\d\d)$/

const rows = rowsOf(document)

describe('docs/conformance.md', () => {
  test('names only tests that exist, and has a proof for each row', () => {
    expect(faultsOf(rows)).toEqual([])
  })

  test('has each of the 238 ids of the catalogue once, and no others', () => {
    expect(catalogueIds).toHaveLength(238)
    const others = [REQUIREMENT, TRUST, FIELD]
    const ids = rows.map(({ id }) => id).filter((id) => !others.some((other) => other.test(id)))
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    expect(catalogueIds.filter((id) => !ids.includes(id))).toEqual([])
    expect(ids.filter((id) => !catalogueIds.includes(id))).toEqual([])
  })

  test('has each id of the section on trust once', () => {
    const parts = [...'abcdefghijk'].map((part) => `A11${part}`)
    const entries = Array.from(
      { length: 10 },
      (_, index) => `A${String(index + 1).padStart(2, '0')}`,
    )
    expect(rows.map(({ id }) => id).filter((id) => TRUST.test(id))).toEqual([...entries, ...parts])
  })

  test('has each id of the section on honest servers and the first hour once', () => {
    const ids = rows.map(({ id }) => id).filter((id) => FIELD.test(id))
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  test('has the requirements of the specifications without a gap', () => {
    const ids = rows.map(({ id }) => id).filter((id) => REQUIREMENT.test(id))
    const expected = ids.map((_, index) => `S${String(index + 1).padStart(2, '0')}`)
    expect([...ids].sort()).toEqual(expected)
    expect(ids.length).toBeGreaterThanOrEqual(76)
  })

  test('proves each unit row of the flow by a unit test', () => {
    const byUnit = rows.filter(({ proofs }) =>
      proofs.some((proof) => /^`tests\/(shared|vectors)\//.test(proof)),
    )
    const proved = new Set(byUnit.map(({ id }) => id))
    expect(UNIT.filter((id) => !proved.has(id))).toEqual([])
  })

  test('is checked by a test that can fail', () => {
    const table = '| id | where | what | proof |\n|---|---|---|---|\n'
    const here = '`tests/shared/conformance.node.test.ts`'
    const faults = (proof: string) => faultsOf(rowsOf(`${table}| P01 | U | x | ${proof} |`))
    expect(faults(`${here} › is checked by a test that can fail`)).toEqual([])
    expect(faults('does not concern us: there is nothing to test')).toEqual([])
    expect(faults(`${here} › ${'no such'} title`)).toHaveLength(1)
    expect(faults('`tests/shared/none.test.ts` › x')).toHaveLength(1)
    expect(faults('')).toEqual(['P01: no proof'])
    expect(faults('does not concern us:')).toHaveLength(1)
    expect(faults(`${here} › is checked by a test that can fail<br>later`)).toHaveLength(1)
  })
})
