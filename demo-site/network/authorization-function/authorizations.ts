/**
 * Stores resource-owner authorization: the grant by which a subscriber has authorized an application. A stored
 * authorization is not requested again. @see TS 23.222 clauses 8.31 and 8.33
 */

export interface StoredAuthorization {
  accountId: string
  clientId: string
  grantId: string
  /** Epoch milliseconds. */
  sinceMs: number
}

export class Authorizations {
  readonly #byOwnerAndClient = new Map<string, StoredAuthorization>()

  store(accountId: string, clientId: string, grantId: string): void {
    const key = keyOf(accountId, clientId)
    const sinceMs = this.#byOwnerAndClient.get(key)?.sinceMs ?? Date.now()
    this.#byOwnerAndClient.set(key, { accountId, clientId, grantId, sinceMs })
  }

  find(accountId: string, clientId: string): StoredAuthorization | undefined {
    return this.#byOwnerAndClient.get(keyOf(accountId, clientId))
  }

  findByAccount(accountId: string): StoredAuthorization[] {
    return [...this.#byOwnerAndClient.values()].filter(
      (authorization) => authorization.accountId === accountId,
    )
  }

  removeGrant(grantId: string): StoredAuthorization | undefined {
    for (const [key, authorization] of this.#byOwnerAndClient) {
      if (authorization.grantId !== grantId) continue
      this.#byOwnerAndClient.delete(key)
      return authorization
    }
    return undefined
  }
}

function keyOf(accountId: string, clientId: string): string {
  return JSON.stringify([accountId, clientId])
}
