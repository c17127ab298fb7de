/** Parses the flags of `npm run network`. */

import { parseArgs } from 'node:util'
import { fail } from './failure.ts'

export const HELP = `npm run network -- [flags]

Starts the network: an authorization function, a CAPIF core, API exposing functions, a user plane and
a control API, all on loopback. Prints the operator profiles for a broker as JSON on standard output,
and where everything is on standard error. Ctrl-C ends it.

  --config FILE          settings as JSON or YAML; flags go before them
  --issuer URL           issuer identifier, http://localhost:PORT[/path]
  --host ADDRESS         address to listen on                     (127.0.0.1)
  --port N               port of the authorization function       (any free one)
  --apis-port N          port of the API exposing functions       (any free one)
  --user-plane-port N    port of the user plane                   (any free one)
  --control-port N       port of the control API                  (any free one)
  --application ID=NAME=ORIGIN[,ORIGIN]
                         a pre-registered UE application          (skyframe)
  --redirect-base URL    host of a broker's redirect URIs         (Northkey's own)
  --subscribers FILE     subscribers as JSON or YAML, a list
  --attach ADDR=ID       the UE at this address is this subscriber's
  --fault JSON           a fault from the start, as the control API takes it
  --access-token-seconds N
                         lifetime of access tokens                (600)
  --dpop MODE            with-nonce, without-nonce or off         (with-nonce)
  --no-par               offer no pushed authorization requests
  --profile FILE         write the operator profiles there as well
  --json                 print the operator profiles on one line, and nothing else
  --log FILE             append each request as a line of JSON
  --help                 this text

Flags that name one thing of many (--application, --redirect-base, --attach, --fault) may come again.`

export type Flags = ReturnType<typeof parseFlags>

/** @throws Failure for an unknown flag or a missing value. */
export function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        config: { type: 'string' },
        issuer: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        'apis-port': { type: 'string' },
        'user-plane-port': { type: 'string' },
        'control-port': { type: 'string' },
        application: { type: 'string', multiple: true },
        'redirect-base': { type: 'string', multiple: true },
        subscribers: { type: 'string' },
        attach: { type: 'string', multiple: true },
        fault: { type: 'string', multiple: true },
        'access-token-seconds': { type: 'string' },
        dpop: { type: 'string' },
        'no-par': { type: 'boolean' },
        profile: { type: 'string' },
        json: { type: 'boolean' },
        log: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    const [line = 'wrong flags'] = String((error as Error).message).split(/\. |\n/)
    return fail(`${line.replace(/\.$/, '')} (--help lists the flags)`)
  }
}
