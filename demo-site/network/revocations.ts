/**
 * Revokes resource-owner authorization, at the request of the subscriber or of the network. The tokens become
 * invalid at once, and a `revoked` event informs everything that depends on them.
 * @see TS 23.222 clauses 8.23 and 8.35, TS 33.122 clause 6.5.3.4
 */

import { EventEmitter } from 'node:events'
import type { AuthorizationServer } from './authorization-function/authorization-function.ts'
import type { Revocation, RevocationCause } from './revocation.ts'

export class Revocations extends EventEmitter<{ revoked: [Revocation] }> {
  #servers: readonly AuthorizationServer[] = []

  setServers(servers: readonly AuthorizationServer[]): void {
    this.#servers = servers
  }

  /** Revokes an authorization. Returns whether there was one. */
  async revoke(
    issuer: string,
    accountId: string,
    clientId: string,
    cause: RevocationCause = 'AUTHORIZATION_ISSUE',
  ): Promise<boolean> {
    const server = this.#servers.find(({ settings }) => settings.issuer === issuer)
    const stored = server?.settings.authorizations.find(accountId, clientId)
    if (!server || !stored) return false
    const tokens = server.settings.tokens.findByGrant(stored.grantId)
    await server.revokeGrant(stored.grantId)
    this.emit('revoked', { issuer, clientId, accountId, cause, tokens })
    return true
  }
}
