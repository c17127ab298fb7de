/**
 * Discovers an operator's authorization server, within the servers that its profile names. Metadata that name
 * another server are an error before anything is sent to it and before the user signs in. The user, or the
 * administrator, has to add the server to the profile first.
 *
 * Border: `metadata-cache.ts` keeps metadata between flows.
 */

import { discover, NorthkeyError, type ServerMetadata } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ServerAdditions } from '../../../shared/messages/screen-channel.ts'
import { createEffects } from '../platform/effects.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { computeFreshnessMs } from './http-freshness.ts'
import { keepMetadata, readMetadata, takeMetadata } from './metadata-cache.ts'
import { findUnnamedServers, getServerOrigins } from './operator-servers.ts'
import { rememberUnnamedServers } from './unnamed-servers.ts'

/** Remembers servers for the screen of operators. A failure to remember them changes no decision. */
export async function reportUnnamedServers(
  { issuer }: OperatorProfile,
  additions: ServerAdditions | undefined,
): Promise<void> {
  await rememberUnnamedServers(issuer, additions).catch(() => {})
}

interface Discovered {
  metadata: ServerMetadata
  /** For how long the server lets them be used again, in milliseconds. */
  freshnessMs: number
}

async function discoverMetadata(server: OperatorProfile): Promise<Discovered> {
  const effects = createEffects(getServerOrigins(server))
  // Of the last response: discovery ends with the document that it uses.
  let freshnessMs = 0
  const metadata = await discover(server, {
    ...effects,
    fetch: async (input, init) => {
      const response = await effects.fetch(input, init)
      freshnessMs = computeFreshnessMs(response.headers)
      return response
    },
  })
  return { metadata, freshnessMs }
}

/** Requests ahead of a flow, by issuer. */
const discoveries = createSingleFlight<ServerMetadata>()

/** Requests the metadata, and keeps them as far as the server allows, or for the next flow. */
async function requestMetadata(server: OperatorProfile, isAhead: boolean): Promise<ServerMetadata> {
  const { metadata, freshnessMs } = await discoverMetadata(server)
  const additions = findUnnamedServers(server, metadata)
  await reportUnnamedServers(server, additions)
  if (!additions) {
    await keepMetadata(server, metadata, freshnessMs, isAhead)
    return metadata
  }
  throw new NorthkeyError(
    'invalid_metadata',
    'the metadata must name only servers of the operator profile; the screen of operators has the others',
  )
}

/**
 * Returns the metadata for a flow: those that are kept or on their way, or those of a new request.
 *
 * @throws NorthkeyError `invalid_metadata` also for a server that the profile does not name.
 */
export async function discoverServer(server: OperatorProfile): Promise<ServerMetadata> {
  const ahead = discoveries.join(server.issuer)
  // A request ahead of the flow that failed is made again: its error is nobody's answer.
  if (ahead) await ahead.catch(() => {})
  return (await takeMetadata(server)) ?? requestMetadata(server, false)
}

/** Returns the metadata that the next flow will use. They are requested ahead of it, unless they are kept. */
export function discoverForNextFlow(server: OperatorProfile): Promise<ServerMetadata> {
  return discoveries.run(
    server.issuer,
    async () => (await readMetadata(server)) ?? requestMetadata(server, true),
  )
}

/** Requests the metadata ahead of the next flow, unless they are kept. An error is that flow's to find. */
export async function discoverAhead(server: OperatorProfile): Promise<void> {
  await discoverForNextFlow(server).catch(() => {})
}

/** Returns the servers that the metadata name and the profile does not. */
export async function discoverUnnamedServers(
  profile: OperatorProfile,
): Promise<ServerAdditions | undefined> {
  return findUnnamedServers(profile, (await discoverMetadata(profile)).metadata)
}
