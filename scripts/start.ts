/**
 * `npm start`: the whole demonstration with one command. Whatever it starts it stops: servers, browser,
 * the browser's profile and the copy of the extension.
 */

import { FlagError, HELP, parseFlags } from './start/options.ts'
import { Undo } from './start/undo.ts'

const undo = new Undo()

let stopping = false

/** The first reason to stop decides: whatever fails because of it is no news. */
async function stop(code: number, complaint?: string): Promise<void> {
  if (stopping) return
  stopping = true
  if (complaint !== undefined) console.error(complaint)
  await undo.all()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // 128 and the number of the signal, as a shell says it.
  process.once(signal, () => void stop(128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal]))
}

try {
  const options = parseFlags(process.argv.slice(2))
  if (options.help) console.log(HELP)
  else {
    // Loaded late, so that a wrong flag is answered at once and by nothing but its own line.
    const { run } = await import('./start/run.ts')
    await run(options, undo)
  }
  await stop(0)
} catch (error) {
  const complaint = error instanceof Error ? error.message : String(error)
  await stop(error instanceof FlagError ? 2 : 1, complaint)
}
