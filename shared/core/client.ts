/** How the client of a flow authenticates, from the operator's settings and the profile. */

import type { ClientAuthenticationOptions, ClientKey } from '../oauth/client-authentication.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'

export function authenticationOf(
  server: ServerConfig,
  key: ClientKey | undefined,
): ClientAuthenticationOptions {
  return {
    method: server.clientAuthentication ?? 'none',
    key,
    audience: profileOf(server).assertionAudience,
  }
}
