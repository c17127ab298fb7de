/** Parses the flags of `npm start`. */

import { parseArgs } from 'node:util'

export interface StartOptions {
  /** Port of the demo site; authorization function, APIs and user plane use the next three ports. */
  port: number | undefined
  headless: boolean
  /** Keeps the servers running after the demonstration. */
  keep: boolean
  help: boolean
}

export const HELP = `npm start [-- flags]

Builds Northkey, starts a network and the demo site on loopback, and opens a browser with the extension
in a throw-away profile. Without a display it carries out the main job by itself and prints each step.

  --headless    do so even with a display; screenshots go to demo-output/
  --keep        leave the servers running afterwards, until Ctrl-C
  --port <n>    demo site on port n, the network's servers on the three after it (default: free ports)
  --help        print this
`

/** The last port that leaves room for three more. */
const HIGHEST_PORT = 65_532

/** Error of an invalid flag; the message is one line for the user. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > HIGHEST_PORT) {
    throw new FlagError(`--port: expected a whole number from 1 to ${HIGHEST_PORT}`)
  }
  return port
}

/** @throws FlagError */
export function parseFlags(args: string[]): StartOptions {
  try {
    const { values } = parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: 'string' },
        headless: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    return { ...values, port: parsePort(values.port) }
  } catch (error) {
    if (error instanceof FlagError) throw error
    // The message of Node may have several sentences; the first names the flag.
    const [sentence] = (error instanceof Error ? error.message : '').split(/\. |\n/)
    throw new FlagError(`${sentence}; --help lists the flags`)
  }
}
