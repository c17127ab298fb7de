/** Faults that several tests ask of the network. */

import type { FaultRule, Network } from '../../demo-site/network/index.ts'
import type { Stage } from './stage.ts'

const METADATA_PATHS = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
] as const

/** The issuer says something else of itself from now on. */
export async function changeMetadata(
  { issuer, faults }: Pick<Network, 'issuer' | 'faults'>,
  change: (metadata: Record<string, unknown>) => void,
): Promise<void> {
  const [path] = METADATA_PATHS
  const response = await fetch(issuer + path)
  const metadata = (await response.json()) as Record<string, unknown>
  change(metadata)
  for (const each of METADATA_PATHS) {
    faults.add({
      path: each,
      action: {
        type: 'status',
        status: 200,
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify(metadata),
      },
    })
  }
}

/** The oldest fault is asked first, so those that keep a stage quiet stand aside for these. */
export async function duringFaults<T>(
  { network: { faults, log } }: Pick<Stage, 'network'>,
  rules: FaultRule[],
  run: () => Promise<T>,
): Promise<T> {
  log.clear()
  const quiet = faults.active.map(({ rule }) => rule)
  faults.clear()
  for (const each of [...rules, ...quiet]) faults.add(each)
  try {
    return await run()
  } finally {
    faults.clear()
    for (const each of quiet) faults.add(each)
  }
}
