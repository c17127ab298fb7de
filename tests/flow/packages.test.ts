/**
 * The packages `northkey/core` and `northkey/page`: packed, installed in another project, and used there.
 *
 * Seen to fail, F09: with the README of the repository in the package, when `northkey/page` exports the contract as
 * types alone, and with a provider whose `request` returns `unknown`.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QOS, REDIRECT_URI, startAuthorizationServer } from './authorization-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const LIMIT_MS = 180_000
const run = promisify(execFile)

let folder: string
let packed: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'northkey-package-'))
  await run('npm', ['run', 'build:packages'], { cwd: root })
  const args = ['pack', './dist/packages', '--json', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: root })
  const [{ filename, files }] = JSON.parse(stdout)
  packed = files.map((file: { path: string }) => file.path)
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await run('npm', ['install', ...options, `./${filename}`], { cwd: folder })
}, LIMIT_MS)

afterAll(() => rm(folder, { recursive: true, force: true }))

async function runElsewhere(name: string, source: string, args: string[] = []): Promise<string> {
  await writeFile(join(folder, name), source)
  const { stdout } = await run('node', [name, ...args], { cwd: folder })
  return stdout
}

/** Compiles a strict program that uses the package. @returns The errors. */
async function compileElsewhere(source: string): Promise<string> {
  await writeFile(join(folder, 'types.ts'), source)
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    types: [],
  }
  const config = JSON.stringify({ compilerOptions, files: ['types.ts'] })
  await writeFile(join(folder, 'tsconfig.json'), config)
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { stdout } = await run(tsc, ['-p', folder], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  )
  return stdout
}

describe('the packed library', () => {
  test('contains the built files and nothing else', () => {
    const unexpected = packed.filter(
      (file) =>
        !/^(types\/.*\.d\.ts|docs\/\w+-?\w+\.md|core\.js|page\.js|package\.json|README\.md|LICENSE)$/.test(
          file,
        ),
    )
    expect(unexpected).toEqual([])
    expect(packed).toContain('core.js')
    expect(packed).toContain('page.js')
  })

  test('F09: its documents link nothing that is not in it', async () => {
    const documents = packed.filter((file) => file.endsWith('.md'))
    expect(documents).toContain('README.md')
    const broken: string[] = []
    for (const document of documents) {
      const text = await readFile(join(folder, 'node_modules/northkey', document), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        const [path = ''] = link.split('#')
        const target = posix.join(posix.dirname(document), path)
        if (path && !/^https:/.test(link) && !packed.includes(target)) broken.push(link)
      }
    }
    expect(broken).toEqual([])
  })

  test('F09: the values in its types are those in its code', async () => {
    const source = `
      for (const name of ['core', 'page'])
        console.log(JSON.stringify(Object.keys(await import('northkey/' + name))))`
    const [core = '[]', page = '[]'] = (await runElsewhere('values.mjs', source)).split('\n')
    expect(JSON.parse(page)).toContain('ERROR_CODE')
    const union = (keys: string) =>
      (JSON.parse(keys) as string[]).map((key) => `'${key}'`).join(' | ')
    expect(
      await compileElsewhere(`
      type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
      export const core: Same<keyof typeof import('northkey/core'), ${union(core)}> = true
      export const page: Same<keyof typeof import('northkey/page'), ${union(page)}> = true
      import { ERROR_CODE } from 'northkey/page'
      export const code: 4100 = ERROR_CODE.noGrant`),
    ).toBe('')
  })

  test('F09: the types of the contract reach the caller of a provider', async () => {
    expect(
      await compileElsewhere(`
      import { createFetchWithToken, findBroker } from 'northkey/page'
      addEventListener('northbound:announceProvider', async ({ detail: { info, provider } }) => {
        const name: string = info.name
        const params = { url: 'https://api.example' }
        const result = await provider.request({ method: 'northbound_fetch', params })
        const status: number = result.status
        // @ts-expect-error a call needs a URL
        void provider.request({ method: 'northbound_fetch', params: {} })
        // @ts-expect-error and parameters
        void provider.request({ method: 'northbound_connect' })
        const grants = await provider.request({ method: 'northbound_getGrants' })
        const ends: number | undefined = grants[0]?.expiresAt
        const token = await provider.request({ method: 'northbound_getAccessToken' })
        const accessToken: string = token.accessToken
        // @ts-expect-error what a method outside of the contract returns is not known
        const other: string = await provider.request({ method: 'vendor_x', params: { a: 1 } })
        const method: string = 'northbound_getGrants'
        const unknown: unknown = await provider.request({ method, params: {} })
        provider.on('grantExpired', ({ grantId }) => grantId.length)
        console.log(name, status, ends, accessToken, other, unknown)
      })
      const broker = await findBroker()
      const token = await broker?.getAccessToken()
      const again = await broker?.getAccessToken({ refused: token?.accessToken ?? '' })
      const fetchWithToken = broker && createFetchWithToken(broker)
      const response: Response | undefined = await fetchWithToken?.('https://api.example/v1')
      export { again, response }`),
    ).toBe('')
  })

  test('F09: the programs in its README compile, strict', async () => {
    const text = await readFile(join(folder, 'node_modules/northkey/README.md'), 'utf8')
    const programs = [...text.matchAll(/```ts\n([^`]*(?:`[^`]+`[^`]*)*)```/g)].map(
      ([, code]) => code,
    )
    expect(programs).toHaveLength(2)
    for (const program of programs) expect(await compileElsewhere(program ?? '')).toBe('')
  })

  test('exports core and page, and no path beside them', async () => {
    const source = `
      for (const name of ['core', 'page', 'oauth/error.ts', 'core.js', '']) {
        await import(name === '' ? 'northkey' : 'northkey/' + name).then(
          () => console.log(name, 'yes'), (error) => console.log(name, error.code))
      }`
    expect((await runElsewhere('exports.mjs', source)).trim().split('\n')).toEqual([
      'core yes',
      'page yes',
      'oauth/error.ts ERR_PACKAGE_PATH_NOT_EXPORTED',
      'core.js ERR_PACKAGE_PATH_NOT_EXPORTED',
      ' ERR_PACKAGE_PATH_NOT_EXPORTED',
    ])
  })

  test('completes the code flow with a real server', async () => {
    const as = await startAuthorizationServer()
    try {
      const source = `
        import * as core from 'northkey/core'
        const [issuer, redirectUri, resource] = process.argv.slice(2)
        const effects = { fetch, now: Date.now, allowInsecureLoopback: true }
        const server = { issuer, profile: 'oauth' }
        const metadata = await core.discover(server, effects)
        const { flow, authorizationUrl } = await core.beginAuthorization({
          server, metadata, clientId: 'app', redirectUri,
          apis: [{ resource, scope: 'openid qos' }], deadlineMs: Date.now() + 60_000 }, effects)
        let url = authorizationUrl
        const cookies = new Map()
        while (url.startsWith(issuer)) {
          const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
          const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
          for (const line of response.headers.getSetCookie()) {
            const [name, value] = line.split(';')[0].split('=')
            cookies.set(name, value)
          }
          url = new URL(response.headers.get('location'), url).href
        }
        const redeemable = core.receiveAuthorizationResponse(flow, url, Date.now())
        const tokens = await core.redeemCode(redeemable, effects)
        console.log(JSON.stringify([tokens.subject, tokens.tokenType, tokens.resource]))`
      const stdout = await runElsewhere('flow.mjs', source, [as.issuer, REDIRECT_URI, QOS])
      expect(JSON.parse(stdout)).toEqual(['subscriber-1', 'Bearer', QOS])
    } finally {
      await as.close()
    }
  })

  test('finds no broker in a page without a broker', async () => {
    const source = `
      globalThis.document = {}
      const target = new EventTarget()
      for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent']) {
        globalThis[name] = target[name].bind(target)
      }
      const { findBroker } = await import('northkey/page')
      console.log(await findBroker({ timeoutMs: 5 }))`
    expect(await runElsewhere('page.mjs', source)).toBe('undefined\n')
  })

  test('has types with which a strict program elsewhere compiles, and which reject a verifier in place of a challenge', async () => {
    const source = `
      import { beginAuthorization, type CodeChallenge, createPkcePair, type Effects,
        NorthkeyError, type NorthkeyErrorCode, toProviderError, transition,
        type AwaitingAuthorizationResponse, type AwaitingTokenResponse } from 'northkey/core'
      import { type Broker, findBroker } from 'northkey/page'
      const effects: Effects = { fetch, now: () => Date.now() }
      const { codeVerifier, codeChallenge } = await createPkcePair()
      const right: CodeChallenge = codeChallenge
      // @ts-expect-error a verifier is not a challenge
      const wrong: CodeChallenge = codeVerifier
      const code: NorthkeyErrorCode = new NorthkeyError('timeout', 'x').code
      const broker: Broker | undefined = await findBroker()
      const answer: Response | undefined = await broker?.fetch('https://api.example')
      // @ts-expect-error a page cannot choose the response mode
      void beginAuthorization({ responseMode: 'fragment' }, effects)
      declare const waiting: AwaitingAuthorizationResponse
      declare const sent: AwaitingTokenResponse
      const next = transition(waiting, { type: 'redirectReceived', url: 'x', now: 0 }).name
      // @ts-expect-error a code cannot be sent before the response
      transition(waiting, { type: 'codeSent', now: 0 })
      // @ts-expect-error a flow has no verifier after the code is sent
      void sent.codeVerifier
      export { next, answer, code, right, toProviderError, wrong }`
    expect(await compileElsewhere(source)).toBe('')
  })

  test.each([
    ['without tokens', 'findBroker, isProviderError, ERROR_CODE', 2048],
    ['with tokens', 'findBroker, isProviderError, ERROR_CODE, createFetchWithToken', 3072],
  ])('northkey/page %s is small for a page', async (_title, names, limit) => {
    await writeFile(join(folder, 'entry.js'), `export { ${names} } from 'northkey/page'`)
    const result = await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: true,
        lib: { entry: join(folder, 'entry.js'), formats: ['es'] },
      },
    })
    const [bundle] = result as { output: { code: string }[] }[]
    expect(gzipSync(bundle?.output[0]?.code ?? '').length).toBeLessThanOrEqual(limit)
  })

  test('uses no extension API', async () => {
    for (const name of ['core', 'page']) {
      const file = join(folder, `node_modules/northkey/${name}.js`)
      const source = await readFile(file, 'utf8')
      expect(source).not.toMatch(/\b(?:chrome|browser)\.\w|webextension|Math\.random|\beval\(/)
    }
  })
})
