/**
 * Implements `npm start`: runs the complete demonstration. It stops and removes everything that it has started:
 * servers, browser, the profile of the browser and the copy of the extension.
 */

import { Cleanup } from './start/cleanup.ts'
import { FlagError, HELP, parseFlags } from './start/options.ts'

const cleanup = new Cleanup()

let stopping = false

/** Stops once: the first call sets code and message, because later failures are its consequences. */
async function stopAndExit(code: number, complaint?: string): Promise<void> {
  if (stopping) return
  stopping = true
  if (complaint !== undefined) console.error(complaint)
  await cleanup.runAll()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Exit code of a shell: 128 plus the number of the signal.
  process.once(signal, () => void stopAndExit(128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal]))
}

try {
  const options = parseFlags(process.argv.slice(2))
  if (options.help) console.log(HELP)
  else {
    // Imported late, so that a wrong flag is answered at once and with a single line.
    const { runDemonstration } = await import('./start/run.ts')
    await runDemonstration(options, cleanup)
  }
  await stopAndExit(0)
} catch (error) {
  const complaint = error instanceof Error ? error.message : String(error)
  await stopAndExit(error instanceof FlagError ? 2 : 1, complaint)
}
