/** Creates the keys that an authorization function signs with. */

import { exportJWK, generateKeyPair, type JWK } from 'jose'

export const SIGNING_ALGORITHM = 'ES256'

export interface SigningKey {
  privateJwk: JWK
  publicJwk: JWK
}

/** Creates a signing key with a random `kid`. @see RFC 7517 section 4.5 */
export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true })
  const common = { kid: crypto.randomUUID(), use: 'sig', alg: SIGNING_ALGORITHM }
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
  }
}
