/** Adds faults to the network that several tests use. */

import type { Network } from '../../../demo-site/network/index.ts'

const METADATA_PATHS = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
] as const

/** Changes the metadata of the issuer from now on. */
export async function changeMetadata(
  { issuer, faults }: Pick<Network, 'issuer' | 'faults'>,
  change: (metadata: Record<string, unknown>) => void,
): Promise<void> {
  const [firstPath] = METADATA_PATHS
  const response = await fetch(issuer + firstPath)
  const metadata = (await response.json()) as Record<string, unknown>
  change(metadata)
  for (const path of METADATA_PATHS) {
    faults.add({
      path,
      action: {
        type: 'status',
        status: 200,
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify(metadata),
      },
    })
  }
}
