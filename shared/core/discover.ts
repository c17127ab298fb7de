/** Discovers the metadata of a server, with the overrides of the operator profile. */

import type { Effects } from '../oauth/effects.ts'
import { withOwnErrors } from '../oauth/error.ts'
import { discoverMetadata, type ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'

/** Returns the checked metadata of a server. @see RFC 8414 section 3, OpenID Connect Discovery section 4 */
export function discover(server: ServerConfig, effects: Effects): Promise<ServerMetadata> {
  return withOwnErrors(async () => {
    const { wellKnown } = profileOf(server)
    return discoverMetadata(
      { issuer: server.issuer, overrides: server.metadata, wellKnown },
      effects,
    )
  })
}
