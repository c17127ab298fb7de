/** Command `npm run network`: settings, output and errors, each test in a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'

// Each test starts processes, which is slow on a loaded machine.
vi.setConfig({ testTimeout: 120_000 })

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'network-cli-'))
const started: ChildProcess[] = []

afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function startCommand(...args: string[]) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(root, 'demo-site/network/cli.ts'), ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  started.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    output.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.err += chunk.toString()
  })
  return { child, output }
}

async function runCommand(...args: string[]) {
  const { child, output } = startCommand(...args)
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...output }
}

function writeConfigFile(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('npm run network', () => {
  it('reads a file and flags, prints the operator profiles, logs requests, and ends on SIGTERM', async () => {
    const config = writeConfigFile(
      'network.yaml',
      `operator: { name: Northern Mobile, motto: hello }
applications: [{ clientId: game, name: Game, origins: ['http://127.0.0.1:4000'] }]
subscribers:
  - { id: kim, name: Kim, gpsi: msisdn-447700900150, phoneNumber: '+447700900150', password: p,
      location: { latitude: 1, longitude: 2, accuracyMeters: 3 } }
faults: [{ path: /never, action: { type: hang } }]
`,
    )
    const log = join(folder, 'requests.jsonl')
    const profile = join(folder, 'profile.json')
    const { child, output } = startCommand(
      ...['--config', config, '--log', log, '--profile', profile],
      ...['--attach', '127.0.0.5=kim', '--fault', '{"path":"/x","action":{"type":"hang"}}'],
    )
    while (!output.err.includes('Ctrl-C'))
      await once(child.stderr as NonNullable<typeof child.stderr>, 'data')
    const profiles = JSON.parse(output.out) as OperatorProfile[]
    expect(profiles.map(({ name }) => name)[0]).toBe('Northern Mobile')
    expect(profiles[0]?.applications).toMatchObject([{ clientId: 'game' }])
    expect(JSON.parse(readFileSync(profile, 'utf8'))).toEqual(profiles)

    const control = /http:\S+(?=\/openapi\.json)/.exec(output.err)?.[0] ?? ''
    expect(await (await fetch(`${control}/faults`)).json()).toHaveLength(2)
    expect(await (await fetch(`${control}/access-network`)).json()).toEqual({ '127.0.0.5': 'kim' })
    const metadata = await fetch(`${profiles[0]?.issuer}/.well-known/openid-configuration`)
    expect(await metadata.json()).toMatchObject({ issuer: profiles[0]?.issuer })

    child.kill('SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(0)
    const [line = ''] = readFileSync(log, 'utf8').split('\n')
    expect(JSON.parse(line)).toMatchObject({ path: '/.well-known/openid-configuration' })
  })

  it('accepts an issuer with a path', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as { port: number }
    await new Promise((resolve) => free.close(resolve))
    const issuer = `http://localhost:${port}/meridian`
    const { child, output } = startCommand('--issuer', issuer)
    while (!output.err.includes('Ctrl-C'))
      await once(child.stderr as NonNullable<typeof child.stderr>, 'data')
    const where = `http://localhost:${port}/.well-known/oauth-authorization-server/meridian`
    expect(await (await fetch(where)).json()).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/token`,
    })
    const capif = await fetch(`${where}/capif`)
    expect(await capif.json()).toMatchObject({ issuer: `${issuer}/capif` })
    child.kill('SIGTERM')
    await once(child, 'close')
  })

  it('F08: prints the operator profiles on one line, and nothing else, with --json', async () => {
    const { child, output } = startCommand('--json')
    while (!output.out.endsWith('\n'))
      await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
    const profiles = JSON.parse(output.out) as OperatorProfile[]
    // The network answers after the command has printed all that it prints.
    await fetch(`${profiles[0]?.issuer}/.well-known/oauth-authorization-server`)
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(output.out.trimEnd().split('\n')).toHaveLength(1)
    expect(profiles.map(({ profile }) => profile)).toEqual(['oauth', 'capif', 'camara'])
    expect(output.err).toBe('')
  })

  it('prints its flags with --help', async () => {
    const { code, out } = await runCommand('--help')
    expect(code).toBe(0)
    expect(out).toContain('--control-port')
  })

  it.each([
    ['an unknown flag', ['--nope'], '--nope'],
    ['a flag without a value', ['--port'], '--port'],
    ['a port that is not a number', ['--port', 'abc'], '--port must be a number from 0 to 65535'],
    ['a missing file', ['--config', '/nowhere'], '/nowhere: cannot be read'],
    ['an invalid fault', ['--fault', '{"action":{}}'], '--fault: /action'],
    ['a host that is not loopback', ['--host', '0.0.0.0'], 'the host must be a loopback address'],
    ['a UE of an unknown subscriber', ['--attach', '127.0.0.1=x'], 'an unknown subscriber'],
    [
      'two applications with the same identifier',
      ['--application', 'a=A=http://a.example', '--application', 'a=B=http://b.example'],
      'applications: ',
    ],
    [
      'an issuer that is not on loopback',
      ['--issuer', 'https://a.example'],
      'the issuer must be http on localhost',
    ],
  ])('prints one line for %s and exits with an error code', async (_name, args, words) => {
    const { code, out, err } = await runCommand(...args)
    expect(code).not.toBe(0)
    expect(out).toBe('')
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).toContain(words)
  })

  it.each([
    ['invalid YAML', '{ a: [', 'neither JSON nor YAML'],
    ['an unknown member', '{"portz": 1}', '/portz is unknown'],
    ['a member of the wrong type', '{"ports": {"apis": "x"}}', '/ports/apis must be integer'],
    ['an incomplete subscriber', '{"subscribers": [{"id": "a"}]}', '/subscribers/0'],
  ])('prints one line for a file with %s', async (_name, content, words) => {
    const { code, err } = await runCommand('--config', writeConfigFile('bad.yaml', content))
    expect(code).toBe(1)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).toContain(words)
  })

  it('prints one line for a port that is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    for (const flag of ['--port', '--apis-port', '--control-port']) {
      const { code, err } = await runCommand(flag, String(port))
      expect(code).toBe(1)
      expect(err.trimEnd()).toMatch(new RegExp(`^[a-z-]+: port ${port} on 127.0.0.1 is in use$`))
    }
    await new Promise((resolve) => taken.close(resolve))
  })
})
