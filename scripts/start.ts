/**
 * `npm start`: the whole demonstration with one command. Whatever it starts it stops: servers, browser,
 * the browser's profile and the copy of the extension.
 */

import { Cleanup } from './start/cleanup.ts'
import { FlagError, HELP, parseFlags } from './start/options.ts'

const cleanup = new Cleanup()

let stopping = false

/** The first reason to stop decides: whatever fails because of it is no news. */
async function stopAndExit(code: number, complaint?: string): Promise<void> {
  if (stopping) return
  stopping = true
  if (complaint !== undefined) console.error(complaint)
  await cleanup.runAll()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // 128 and the number of the signal, as a shell says it.
  process.once(signal, () => void stopAndExit(128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal]))
}

try {
  const options = parseFlags(process.argv.slice(2))
  if (options.help) console.log(HELP)
  else {
    // Loaded late, so that a wrong flag is answered at once and by nothing but its own line.
    const { runDemonstration } = await import('./start/run.ts')
    await runDemonstration(options, cleanup)
  }
  await stopAndExit(0)
} catch (error) {
  const complaint = error instanceof Error ? error.message : String(error)
  await stopAndExit(error instanceof FlagError ? 2 : 1, complaint)
}
