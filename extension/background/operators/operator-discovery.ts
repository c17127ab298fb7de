/**
 * Discovers an operator's authorization server, within the servers that its profile names. Metadata that name
 * another server are an error before anything is sent to it and before the user signs in. The user, or the
 * administrator, has to add the server to the profile first.
 */

import { discover, NorthkeyError, type ServerMetadata } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ServerAdditions } from '../../../shared/messages/screen-channel.ts'
import { createEffects } from '../platform/effects.ts'
import { findUnnamedServers, getServerOrigins } from './operator-servers.ts'
import { rememberUnnamedServers } from './unnamed-servers.ts'

/** Remembers servers for the screen of operators. A failure to remember them changes no decision. */
export async function reportUnnamedServers(
  { issuer }: OperatorProfile,
  additions: ServerAdditions | undefined,
): Promise<void> {
  await rememberUnnamedServers(issuer, additions).catch(() => {})
}

const discoverMetadata = (server: OperatorProfile): Promise<ServerMetadata> =>
  discover(server, createEffects(getServerOrigins(server)))

/** @throws NorthkeyError `invalid_metadata` also for a server that the profile does not name. */
export async function discoverServer(server: OperatorProfile): Promise<ServerMetadata> {
  const metadata = await discoverMetadata(server)
  const additions = findUnnamedServers(server, metadata)
  await reportUnnamedServers(server, additions)
  if (!additions) return metadata
  throw new NorthkeyError(
    'invalid_metadata',
    'the metadata must name only servers of the operator profile; the screen of operators has the others',
  )
}

/** Returns the servers that the metadata name and the profile does not. */
export async function discoverUnnamedServers(
  profile: OperatorProfile,
): Promise<ServerAdditions | undefined> {
  return findUnnamedServers(profile, await discoverMetadata(profile))
}
