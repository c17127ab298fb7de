/**
 * Tests the files of the released extension: the permissions in its manifest, and code that it must not
 * contain.
 *
 * Seen to fail with a static rule that has no `initiatorDomains`, with `Math.random`, `eval`, an import from another server and a message to `*` in the
 * background, with `allowInsecureLoopback: true`, with the permission `tabs`, and with a provider that
 * names `indexedDB`, and when SECURITY.md lacks one of the packages.
 */

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import { buildModes, getDevelopmentBuildPath } from '../../scripts/build.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TARGETS = ['chromium', 'firefox']

/** Text of each file, by its path in the extension. */
type Files = Map<string, string>

async function readFiles(folder: string): Promise<Files> {
  const files: Files = new Map()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((file) => file.isFile())) {
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
      shipped.set(`${run} ${target}`, await readFiles(join(builds, run, target)))
    }
  }
}, 120_000)
afterAll(() => rm(builds, { recursive: true, force: true }))

describe.each(TARGETS)('the shipped extension for %s', (target) => {
  const getFiles = () => shipped.get(`first ${target}`) ?? new Map<string, string>()
  const scripts = () => [...getFiles()].filter(([path]) => extname(path) === '.js')
  const pages = () => [...getFiles()].filter(([path]) => extname(path) === '.html')
  const readManifest = () => JSON.parse(getFiles().get('manifest.json') ?? '{}')

  /** Finds the files that contain a pattern. */
  const findFiles = (pattern: RegExp, files = scripts()) =>
    files.filter(([, text]) => pattern.test(text)).map(([path]) => path)

  test('the build has scripts, pages and the code of the flow', () => {
    expect(scripts().length).toBeGreaterThan(3)
    expect(pages().length).toBeGreaterThan(1)
    expect(findFiles(/code_verifier/)).not.toEqual([])
  })

  test('P03: no weak random numbers, and E04: no code from strings', () => {
    expect(findFiles(/Math\.random/)).toEqual([])
    expect(findFiles(/\beval\(|new Function\(|\bFunction\(|setTimeout\(\s*["'`]/)).toEqual([])
    expect(findFiles(/WebAssembly/)).toEqual([])
  })

  test('E10: no script, style or import comes from another server', () => {
    expect(findFiles(/import\(\s*["'`](?:https?:)?\/\//)).toEqual([])
    expect(findFiles(/importScripts|new Worker\(/)).toEqual([])
    expect(findFiles(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//, pages())).toEqual([])
    expect(findFiles(/<script(?![^>]*\bsrc=)[^>]*>/, pages())).toEqual([])
  })

  test('B12: no message is posted to the target origin *', () => {
    expect(findFiles(/postMessage\([^)]*,\s*["'`]\*["'`]/)).toEqual([])
  })

  test('E11: no part of the development build: no http, no operator file, no replaced limits, no source map', () => {
    expect(
      findFiles(
        /demo-operators|northkeyLimits|For 20 seconds|allowInsecureLoopback:\s*(?:!0|true)/,
      ),
    ).toEqual([])
    expect(findFiles(/allowInsecureLoopback:\s*(?:!1|false)/)).not.toEqual([])
    const addresses = scripts().flatMap(([, text]) => text.match(/http:\/\/[\w.]+/g) ?? [])
    expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([])
    expect(findFiles(/sourceMappingURL|debugger\b/)).toEqual([])
    expect([...getFiles().keys()].filter((path) => /\.(map|ts|tsx)$/.test(path))).toEqual([])
  })

  test('E01, E02, E03: the built manifest has no broader permission than its source', () => {
    const built = readManifest()
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

  test('A04, H01: its only static rule removes headers of the extension’s own requests, in Chromium', () => {
    const [rule, ...others] = JSON.parse(getFiles().get('anonymous-requests.json') ?? '[]')
    expect(others).toEqual([])
    if (target === 'firefox') {
      expect(rule).toBeUndefined()
      return
    }
    expect(rule.action.type).toBe('modifyHeaders')
    expect(rule.action.requestHeaders).toContainEqual({ header: 'origin', operation: 'remove' })
    expect(rule.condition).toEqual({
      initiatorDomains: [CHROMIUM_ID],
      resourceTypes: ['websocket', 'xmlhttprequest'],
    })
  })

  test('B15: scripts in a page contain no name of a secret or a key', () => {
    const inPages = scripts().filter(([path]) => /content|provider/.test(path))
    expect(inPages.length).toBeGreaterThan(0)
    expect(
      findFiles(/code_verifier|refresh_?token|subtle|indexedDB|storage\.(local|session)/i, inPages),
    ).toEqual([])
  })

  test('E15: two builds are equal in every byte', () => {
    const digest = (run: string) =>
      [...(shipped.get(`${run} ${target}`) ?? [])]
        .map(
          ([path, text]) => `${path} ${createHash('sha256').update(text, 'latin1').digest('hex')}`,
        )
        .sort()
    expect(digest('second')).toEqual(digest('first'))
  })
})

describe('a development build', () => {
  test.each(TARGETS)(
    'F08: of %s keeps the operators that the network has written into its folder',
    async (target) => {
      const folder = getDevelopmentBuildPath(join(builds, 'kept'), target)
      const path = join(folder, 'demo-operators.json')
      await mkdir(folder, { recursive: true })
      await writeFile(path, '[{ "issuer": "http://localhost:4301" }]')
      await writeFile(join(folder, 'old.js'), '')
      await buildModes([`${target}-development`], join(builds, 'kept'))
      expect(await readFile(path, 'utf8')).toBe('[{ "issuer": "http://localhost:4301" }]')
      const files = await readdir(folder)
      expect(files).toContain('manifest.json')
      expect(files).not.toContain('old.js')
    },
  )
})

describe('the dependencies and sources of the project', () => {
  interface Locked {
    version?: string
    integrity?: string
    optional?: boolean
    dev?: boolean
    resolved?: string
    link?: boolean
  }
  const readLockedPackages = async () => {
    const text = await readFile(join(ROOT, 'package-lock.json'), 'utf8')
    const { packages } = JSON.parse(text) as { packages: Record<string, Locked> }
    return Object.entries(packages).filter(([path]) => path !== '')
  }

  test('E15: each package has its hash in the lock file, and no package runs a script at its installation', async () => {
    const packages = await readLockedPackages()
    expect(packages.length).toBeGreaterThan(50)
    expect(packages.filter(([, { integrity }]) => !integrity).map(([path]) => path)).toEqual([])
    expect(await readFile(join(ROOT, '.npmrc'), 'utf8')).toContain('ignore-scripts=true')
  })

  test('E15: only these packages are shipped in the extension, and one of them with the library', async () => {
    const imported = new Set<string>()
    for (const folder of ['extension', 'shared']) {
      for (const [path, text] of await readFiles(join(ROOT, folder))) {
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
    const security = await readFile(join(ROOT, 'SECURITY.md'), 'utf8')
    const list = /packages ship in the\s+extension:([^.]*)\./.exec(security)?.[1] ?? ''
    const listed = [...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
    expect(listed.sort()).toEqual([...imported, 'yocto-queue'].sort())
    const dependencies = (await readLockedPackages()).filter(
      ([, { dev, optional }]) => !dev && !optional,
    )
    expect(dependencies.map(([path]) => path)).toEqual(['node_modules/oauth4webapi'])
  })

  test('E09: no screen writes markup from a string', async () => {
    const folder = join(ROOT, 'extension')
    for (const [path, text] of await readFiles(folder)) {
      if (!/\.tsx?$/.test(path)) continue
      expect(text, path).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|\.outerHTML/i)
    }
  })
})
