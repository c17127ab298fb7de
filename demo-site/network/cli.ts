/** Implements `npm run network`: runs the network alone until Ctrl-C. */

import { createWriteStream, writeFileSync } from 'node:fs'
import { Failure, fail } from './cli/failure.ts'
import { HELP, parseFlags } from './cli/flags.ts'
import { readSettings } from './cli/settings.ts'
import type { Network } from './index.ts'

try {
  await main(process.argv.slice(2))
} catch (error) {
  const expected = error instanceof Failure || (error as Error).name === 'StartError'
  console.error(expected ? (error as Error).message : error)
  process.exitCode = 1
}

async function main(args: readonly string[]): Promise<void> {
  const flags = parseFlags(args)
  if (flags.help) {
    console.log(HELP)
    return
  }
  const settings = readSettings(flags)
  const { startNetwork } = await loadQuietly()
  const network = await startNetwork(settings.network)
  for (const rule of settings.faults) network.faults.add(rule)

  const profiles = formatProfiles(network, 2)
  if (flags.profile !== undefined) {
    const path = flags.profile
    runOrFail(() => writeFileSync(path, profiles), `${path}: cannot be written`)
  }
  const closeLog = flags.log === undefined ? undefined : await writeLog(network, flags.log)
  if (flags.json) process.stdout.write(formatProfiles(network))
  else {
    process.stdout.write(profiles)
    console.error(formatSummary(network))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await network.close()
      await closeLog?.()
      process.exit(0)
    })
  }
}

function runOrFail(run: () => void, complaint: string): void {
  try {
    run()
  } catch {
    fail(complaint)
  }
}

/** Loads the network without the warning of oidc-provider about the version of Node, which no user can act on. */
async function loadQuietly(): Promise<typeof import('./index.ts')> {
  const { warn } = console
  console.warn = () => {}
  try {
    return await import('./index.ts')
  } finally {
    console.warn = warn
  }
}

/** @returns Function that closes the log file and resolves once all lines are on the disk. */
async function writeLog(network: Network, path: string): Promise<() => Promise<void>> {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    stream.once('error', () => reject(new Failure(`${path}: cannot be written`)))
  }).catch(async (error: unknown) => {
    await network.close()
    throw error
  })
  network.log.onCompleted((entry) => stream.write(`${JSON.stringify(entry)}\n`))
  return () => new Promise((resolve) => stream.end(() => resolve()))
}

/** @param indent Spaces for each level. By default all is on one line. */
function formatProfiles(network: Network, indent?: number): string {
  return `${JSON.stringify(network.operatorProfiles, null, indent)}\n`
}

function formatSummary(network: Network): string {
  return [
    `authorization function   ${network.operatorProfiles.map(({ issuer }) => issuer).join('  ')}`,
    `account of a subscriber  ${network.origin}/account`,
    `phones                   ${network.origin}/phone`,
    `API exposing functions   ${network.apisOrigin}`,
    `user plane               ${network.userPlaneOrigin}/stream`,
    `control API              ${network.controlOrigin}/openapi.json`,
    'Ctrl-C ends it.',
  ].join('\n')
}
