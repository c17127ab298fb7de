/**
 * Records issued access tokens: their subscriber and client, and whether they are revoked. A JWT carries its
 * expiry but not its revocation, so the API exposing functions look a token up here, as TS 33.122 lets an AEF
 * ask the CAPIF core function.
 */

import { LRUCache } from 'lru-cache'

const MAX_TOKENS = 20_000

export interface IssuedToken {
  jti: string
  issuer: string
  clientId: string
  accountId: string
  grantId: string
  scope: string
  /** Epoch seconds. */
  exp: number
  /** How the subscriber was authenticated. @see RFC 8176 */
  amr: readonly string[]
  revoked: boolean
  /** Number of calls that an API has accepted it for. */
  uses: number
  /** Encoded token, where a notification of its revocation has to contain it. */
  value?: string
}

export class IssuedTokens {
  readonly #byId = new LRUCache<string, IssuedToken>({ max: MAX_TOKENS })

  add(token: Omit<IssuedToken, 'revoked' | 'uses'>): void {
    this.#byId.set(token.jti, { ...token, revoked: false, uses: 0 })
  }

  find(jti: string): IssuedToken | undefined {
    return this.#byId.get(jti)
  }

  setValue(jti: string, value: string): void {
    const token = this.#byId.get(jti)
    if (token) token.value = value
  }

  revoke(jti: string): IssuedToken | undefined {
    const token = this.#byId.get(jti)
    if (token) token.revoked = true
    return token
  }

  /** Valid tokens of a grant. */
  findByGrant(grantId: string): IssuedToken[] {
    return [...this.#byId.values()].filter((token) => token.grantId === grantId && !token.revoked)
  }

  /** Revokes every token of a grant and returns those that were valid. */
  revokeGrant(grantId: string): IssuedToken[] {
    const revoked: IssuedToken[] = []
    for (const token of this.#byId.values()) {
      if (token.grantId !== grantId || token.revoked) continue
      token.revoked = true
      revoked.push(token)
    }
    return revoked
  }
}
