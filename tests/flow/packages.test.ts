/** The packages `northkey/core` and `northkey/page`: packed, installed in another project, and used there. */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
  })
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

describe('the packed library', () => {
  test('contains the built files and nothing else', () => {
    const unexpected = packed.filter(
      (file) => !/^(dist\/packages\/|package\.json$|README\.md$|LICENSE$)/.test(file),
    )
    expect(unexpected).toEqual([])
    expect(packed).toContain('dist/packages/core.js')
    expect(packed).toContain('dist/packages/page.js')
  })

  test('exports core and page, and no path beside them', async () => {
    const source = `
      for (const name of ['core', 'page', 'oauth/error.ts', 'dist/packages/core.js', '']) {
        await import(name === '' ? 'northkey' : 'northkey/' + name).then(
          () => console.log(name, 'yes'), (error) => console.log(name, error.code))
      }`
    expect((await runElsewhere('exports.mjs', source)).trim().split('\n')).toEqual([
      'core yes',
      'page yes',
      'oauth/error.ts ERR_PACKAGE_PATH_NOT_EXPORTED',
      'dist/packages/core.js ERR_PACKAGE_PATH_NOT_EXPORTED',
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
    await writeFile(join(folder, 'types.ts'), source)
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          module: 'NodeNext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
          lib: ['ES2022', 'DOM', 'DOM.Iterable'],
          types: [],
        },
        files: ['types.ts'],
      }),
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { stdout } = await run(tsc, ['-p', folder], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    )
    expect(stdout).toBe('')
  })

  test('northkey/page is at most 2 kB for a page', async () => {
    const result = await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: true,
        lib: {
          entry: join(folder, 'node_modules/northkey/dist/packages/page.js'),
          formats: ['es'],
        },
      },
    })
    const [bundle] = result as { output: { code: string }[] }[]
    expect(gzipSync(bundle?.output[0]?.code ?? '').length).toBeLessThanOrEqual(2048)
  })

  test('uses no extension API', async () => {
    for (const name of ['core', 'page']) {
      const file = join(folder, `node_modules/northkey/dist/packages/${name}.js`)
      const source = await readFile(file, 'utf8')
      expect(source).not.toMatch(/\b(?:chrome|browser)\.\w|webextension|Math\.random|\beval\(/)
    }
  })
})
