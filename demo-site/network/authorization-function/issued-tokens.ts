/**
 * What the network remembers of the access tokens it has issued: whose they are, and whether they
 * still count. A JWT carries its own expiry but not its revocation, so the API exposing functions ask
 * here, as TS 33.122 lets an AEF ask the CAPIF core function.
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
  /** How often an API has accepted it. */
  uses: number
  /** The token itself, where a notification of its revocation has to name it. */
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

  /** Tokens of a grant that are still good. */
  findByGrant(grantId: string): IssuedToken[] {
    return [...this.#byId.values()].filter((token) => token.grantId === grantId && !token.revoked)
  }

  /** Ends every token of a grant and returns those that were still good. */
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
