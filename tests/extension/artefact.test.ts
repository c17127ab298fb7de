/**
 * The extension as it would be shipped, read file by file: what it may do, what it must not contain.
 *
 * Seen to fail with `Math.random`, `eval`, an import from elsewhere and a message to `*` in the
 * background, with `allowInsecureLoopback: true`, with the permission `tabs`, and with a provider that
 * names `indexedDB`.
 */

import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildModes } from '../../scripts/build.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TARGETS = ['chromium', 'firefox']

/** Text of each file, by its path in the extension. */
type Files = Map<string, string>

async function filesUnder(folder: string): Promise<Files> {
  const files: Files = new Map()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name)
    files.set(relative(folder, path), await readFile(path, 'latin1'))
  }
  return files
}

let builds: string
const shipped = new Map<string, Files>()

beforeAll(async () => {
  builds = await mkdtemp(join(tmpdir(), 'northkey-shipped-'))
  for (const run of ['first', 'second']) {
    await buildModes(TARGETS, join(builds, run))
    for (const target of TARGETS) {
      shipped.set(`${run} ${target}`, await filesUnder(join(builds, run, target)))
    }
  }
}, 120_000)
afterAll(() => rm(builds, { recursive: true, force: true }))

describe.each(TARGETS)('the shipped extension for %s', (target) => {
  const all = () => shipped.get(`first ${target}`) ?? new Map<string, string>()
  const scripts = () => [...all()].filter(([path]) => extname(path) === '.js')
  const pages = () => [...all()].filter(([path]) => extname(path) === '.html')
  const manifest = () => JSON.parse(all().get('manifest.json') ?? '{}')

  /** Files in which a pattern occurs. */
  const having = (pattern: RegExp, files = scripts()) =>
    files.filter(([, text]) => pattern.test(text)).map(([path]) => path)

  test('there is something to look at', () => {
    expect(scripts().length).toBeGreaterThan(3)
    expect(pages().length).toBeGreaterThan(1)
    expect(having(/code_verifier/)).not.toEqual([])
  })

  test('P03: no weak random numbers, and E04: no code made of text', () => {
    expect(having(/Math\.random/)).toEqual([])
    expect(having(/\beval\(|new Function\(|\bFunction\(|setTimeout\(\s*["'`]/)).toEqual([])
    expect(having(/WebAssembly/)).toEqual([])
  })

  test('E10: no script, style or import comes from elsewhere', () => {
    expect(having(/import\(\s*["'`](?:https?:)?\/\//)).toEqual([])
    expect(having(/importScripts|new Worker\(/)).toEqual([])
    expect(having(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//, pages())).toEqual([])
    expect(having(/<script(?![^>]*\bsrc=)[^>]*>/, pages())).toEqual([])
  })

  test('B12: no message is posted to whoever listens', () => {
    expect(having(/postMessage\([^)]*,\s*["'`]\*["'`]/)).toEqual([])
  })

  test('E11: nothing of the development build: no http, no file of operators, no replaced limits, no map', () => {
    expect(having(/demo-operators|northkeyLimits|allowInsecureLoopback:\s*(?:!0|true)/)).toEqual([])
    expect(having(/allowInsecureLoopback:\s*(?:!1|false)/)).not.toEqual([])
    const addresses = scripts().flatMap(([, text]) => text.match(/http:\/\/[\w.]+/g) ?? [])
    expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([])
    expect(having(/sourceMappingURL|debugger\b/)).toEqual([])
    expect([...all().keys()].filter((path) => /\.(map|ts|tsx)$/.test(path))).toEqual([])
  })

  test('E01, E02, E03: the manifest as built is as narrow as it was written', () => {
    const built = manifest()
    expect(built).not.toHaveProperty('web_accessible_resources')
    if (target === 'chromium') expect(built.externally_connectable).toEqual({})
    for (const broad of ['tabs', 'history', 'cookies', 'debugger', 'webRequestBlocking']) {
      expect(built.permissions).not.toContain(broad)
    }
    expect(built.host_permissions).toHaveLength(1)
    expect(built.host_permissions[0]).toMatch(
      /^https:\/\/[a-z0-9]+\.(chromiumapp\.org|extensions\.allizom\.org)\/\*$/,
    )
    expect(JSON.stringify(built)).not.toContain('<all_urls>')
  })

  test('B15: what runs in a page names no secret and no key', () => {
    const inPages = scripts().filter(([path]) => /content|provider/.test(path))
    expect(inPages.length).toBeGreaterThan(0)
    expect(
      having(/code_verifier|refresh_?token|subtle|indexedDB|storage\.(local|session)/i, inPages),
    ).toEqual([])
  })

  test('E15: built twice, it is the same to the byte', () => {
    const digest = (run: string) =>
      [...(shipped.get(`${run} ${target}`) ?? [])]
        .map(
          ([path, text]) => `${path} ${createHash('sha256').update(text, 'latin1').digest('hex')}`,
        )
        .sort()
    expect(digest('second')).toEqual(digest('first'))
  })
})

describe('what the project is made of', () => {
  interface Locked {
    version?: string
    integrity?: string
    optional?: boolean
    dev?: boolean
    resolved?: string
    link?: boolean
  }
  const locked = async () => {
    const text = await readFile(join(ROOT, 'package-lock.json'), 'utf8')
    const { packages } = JSON.parse(text) as { packages: Record<string, Locked> }
    return Object.entries(packages).filter(([path]) => path !== '')
  }

  test('E15: each package has its hash in the lock file, and none runs a script when installed', async () => {
    const packages = await locked()
    expect(packages.length).toBeGreaterThan(50)
    expect(packages.filter(([, { integrity }]) => !integrity).map(([path]) => path)).toEqual([])
    expect(await readFile(join(ROOT, '.npmrc'), 'utf8')).toContain('ignore-scripts=true')
  })

  test('E15: few packages are shipped: these in the extension, one of them with the library', async () => {
    const imported = new Set<string>()
    for (const folder of ['extension', 'shared']) {
      for (const [path, text] of await filesUnder(join(ROOT, folder))) {
        if (!/\.tsx?$/.test(path) || /^(packages\/|manifest)/.test(path)) continue
        for (const [, name = ''] of text.matchAll(/from '([^.'][^']*)'/g)) {
          imported.add(/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
        }
      }
    }
    expect([...imported].sort()).toEqual([
      '@cfworker/json-schema',
      'idb-keyval',
      'oauth4webapi',
      'p-limit',
      'preact',
      'valibot',
      'webextension-polyfill',
    ])
    const brought = (await locked()).filter(([, { dev, optional }]) => !dev && !optional)
    expect(brought.map(([path]) => path)).toEqual(['node_modules/oauth4webapi'])
  })

  test('E09: no screen writes markup from a string', async () => {
    const folder = join(ROOT, 'extension')
    for (const [path, text] of await filesUnder(folder)) {
      if (!/\.tsx?$/.test(path)) continue
      expect(text, path).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|\.outerHTML/i)
    }
  })
})
