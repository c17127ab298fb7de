/**
 * Tests that the documents match the code: links, commands, decisions, permissions, error codes, header
 * fields, and the tables of ARCHITECTURE.md.
 *
 * Seen to fail when `ARCHITECTURE.md` lacks a file, names a rule that the import rules do not have, or has
 * two layers in another order.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  requestHeaders,
  responseHeaders,
} from '../../extension/background/api-calls/call-headers.ts'
import { createManifest, type Target } from '../../extension/manifest.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TARGETS: Target[] = ['chromium', 'firefox']

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

function listDocuments(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return folder === '.' && entry.name !== 'docs' ? [] : listDocuments(path)
    return path.endsWith('.md') ? [path] : []
  })
}

const DOCUMENTS = [...listDocuments('.'), 'tests/README.md']

/** Returns the URL fragment of a heading. */
function toFragment(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

const removeCode = (text: string) => text.replace(/```[\s\S]*?```/g, '')

function listFragments(path: string): string[] {
  const headings = removeCode(read(path)).matchAll(/^#{1,6} (.+)$/gm)
  return [...headings].map(([, heading = '']) => toFragment(heading))
}

/** Finds the links of a document whose target does not exist. */
function findDeadLinks(document: string): string[] {
  const links = [...removeCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, to = '']) => to,
  )
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', fragment] = link.split('#')
      const target = path === '' ? document : relative(ROOT, join(ROOT, dirname(document), path))
      if (!existsSync(join(ROOT, target))) return true
      return fragment !== undefined && !listFragments(target).includes(fragment)
    })
}

/** Lists the words in backquotes that begin the rows of the first table below a heading. */
function listRows(document: string, heading: string): string[] {
  const section = read(document).split(`\n${heading}\n`)[1] ?? ''
  const [table = ''] = /(?:^\|.*\n)+/m.exec(section) ?? []
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, word = '']) => word)
}

/** Lists the words in backquotes of the line with this beginning. */
function listWords(document: string, beginning: string): string[] {
  const line = read(document)
    .split('\n')
    .find((candidate) => candidate.startsWith(beginning))
  return [...(line ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
}

describe('the documents', () => {
  test.each(DOCUMENTS)('%s has no dead link', (document) => {
    expect(findDeadLinks(document)).toEqual([])
  })

  test.each(DOCUMENTS)('%s names existing commands only', (document) => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = [...read(document).matchAll(/\bnpm run (-s )?([a-z][a-z:-]*)/g)]
    expect(
      named.map(([, , name]) => name).filter((name) => !Object.hasOwn(scripts, name ?? '')),
    ).toEqual([])
  })

  test('every decision is in the list of decisions', () => {
    const pages = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => name !== 'README.md')
    const listed = [...read('docs/decisions/README.md').matchAll(/\]\((\d{4}-[^)]+)\)/g)]
    expect(listed.map(([, page]) => page)).toEqual(pages.sort())
  })
})

/** Lists the source files in the folders that ARCHITECTURE.md describes file by file. */
function listSourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return listSourceFiles(path)
    return /\.tsx?$/.test(path) ? [path] : []
  })
}

describe('ARCHITECTURE.md', () => {
  const importRules = read('.dependency-cruiser.mjs')

  test('has a line for each source file, with a description', () => {
    const files = ['extension', 'shared', 'demo-site', 'scripts'].flatMap(listSourceFiles)
    const lines = read('ARCHITECTURE.md').matchAll(/^\| \[`[^`]+`\]\(([^)]+)\) \| \S.+ \|$/gm)
    expect([...lines].map(([, file = '']) => file).sort()).toEqual(files.sort())
  })

  test('has every import rule by its name, and no other', () => {
    const names = [...importRules.matchAll(/(?:name: |pointDown\(\s*)'([a-z-]+)'/g)]
    expect(listRows('ARCHITECTURE.md', '## The arrows').sort()).toEqual(
      [...new Set(names.map(([, name = '']) => name))].sort(),
    )
  })

  test('has the layers of the background in the order of the import rules', () => {
    const [, order = ''] = /BACKGROUND_LAYERS = \[([^\]]+)\]/.exec(importRules) ?? []
    const layers = [...order.matchAll(/'([a-z-]+)'/g)].map(([, layer]) => layer)
    const [, arrows = ''] = read('ARCHITECTURE.md').split('\n| folder | contents |\n')
    const [table = ''] = /(?:^\|.*\n)+/m.exec(arrows) ?? []
    expect([...table.matchAll(/^\| `([^`]+)`/gm)].map(([, layer]) => layer)).toEqual(layers)
  })
})

describe('PRIVACY.md', () => {
  test.each(TARGETS)('gives a reason for each permission in %s, and for no other', (target) => {
    const named = listRows('PRIVACY.md', '## Permissions')
    expect(named.sort()).toEqual([...(createManifest(target, false).permissions ?? [])].sort())
  })
})

describe('docs/page-api.md', () => {
  test('has every error code of the contract', () => {
    const codes = [...read('docs/page-api.md').matchAll(/^\| (-?\d{4,5}) \|/gm)]
    expect(codes.map(([, code]) => Number(code)).sort()).toEqual(Object.values(ERROR_CODE).sort())
  })

  test('has the header fields that a page may send, and no other', () => {
    const named = listWords('docs/page-api.md', '- It sends these headers')
    const expectation = `headers: expected only ${named.join(', ')}`
    expect(() => requestHeaders({ 'x-none': '' })).toThrow(new RegExp(`^${expectation}$`))
  })

  test('has the header fields that a page may see, and no other', () => {
    const named = listWords('docs/page-api.md', '- It shows these headers')
    const others = ['dpop-nonce', 'server', 'set-cookie', 'vary', 'www-authenticate', 'x-none']
    const source = read('extension/background/api-calls/call-headers.ts').matchAll(
      /^ {2}'([a-z-]+)',$/gm,
    )
    const candidates = [...named, ...others, ...[...source].map(([, name = '']) => name)]
    const pass = responseHeaders(new Headers(candidates.map((name) => [name, '1'])))
    expect(pass.map(([name]) => name)).toEqual([...named].sort())
  })
})
