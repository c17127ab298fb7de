/**
 * Verifies DPoP proofs at the API exposing functions.
 * @see RFC 9449 sections 4.3, 7.1 and 9; CAMARA Security and Interoperability Profile for `camara:bh` and `camara:qh`
 */

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'

const WINDOW_SECONDS = 300
const NONCE_SECONDS = 120

export interface ProofRequirements {
  method: string
  /** URL of the request, without query and fragment. */
  url: string
  accessToken: string
  thumbprint: string
  nonceRequired: boolean
  /** Raw query, where `camara:qh` is required. */
  query?: string | undefined
  /** Raw body, where `camara:bh` is required. */
  body?: Buffer | undefined
}

export class ProofError extends Error {
  readonly code: 'invalid_dpop_proof' | 'use_dpop_nonce'

  constructor(code: 'invalid_dpop_proof' | 'use_dpop_nonce', message: string) {
    super(message)
    this.code = code
  }
}

export class ProofChecker {
  readonly #seen = new LRUCache<string, true>({ max: 20_000, ttl: 2 * WINDOW_SECONDS * 1000 })
  readonly #secret = randomBytes(32)

  /** Creates the nonce of a time step. Proofs may use the nonce of the current step and of the one before. */
  createNonce(step = Math.floor(Date.now() / 1000 / NONCE_SECONDS)): string {
    return createHmac('sha256', this.#secret).update(String(step)).digest('base64url')
  }

  async checkProof(proof: string, required: ProofRequirements): Promise<void> {
    const { payload, jwk } = await verifyProof(proof)
    if ((await calculateJwkThumbprint(jwk)) !== required.thumbprint) {
      throw createInvalidProofError('the proof is of another key than the token')
    }
    if (payload.htm !== required.method)
      throw createInvalidProofError('htm is not the method called')
    if (removeQuery(payload.htu) !== required.url)
      throw createInvalidProofError('htu is not the URL called')
    if (payload.ath !== hashSha256(required.accessToken))
      throw createInvalidProofError('ath is not of the access token')
    if (required.body !== undefined && payload['camara:bh'] !== hashSha256(required.body)) {
      throw createInvalidProofError('camara:bh is not of the body')
    }
    if (required.query && payload['camara:qh'] !== hashSha256(required.query)) {
      throw createInvalidProofError('camara:qh is not of the query')
    }
    const age = Math.abs(Date.now() / 1000 - Number(payload.iat))
    if (!(age <= WINDOW_SECONDS)) throw createInvalidProofError('iat is not recent')
    if (required.nonceRequired || payload.nonce !== undefined) this.#checkNonce(payload.nonce)
    const id = `${required.thumbprint} ${String(payload.jti)}`
    if (typeof payload.jti !== 'string' || this.#seen.has(id))
      throw createInvalidProofError('jti was used before')
    this.#seen.set(id, true)
  }

  #checkNonce(nonce: unknown): void {
    const step = Math.floor(Date.now() / 1000 / NONCE_SECONDS)
    if (nonce === this.createNonce(step) || nonce === this.createNonce(step - 1)) return
    throw new ProofError('use_dpop_nonce', 'a nonce of this server is required in the proof')
  }
}

async function verifyProof(proof: string): Promise<{ payload: JWTPayload; jwk: JsonWebKey }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iat', 'jti', 'htm', 'htu'],
      currentDate: new Date(Date.now()),
    })
    return { payload, jwk: protectedHeader.jwk as JsonWebKey }
  } catch {
    throw createInvalidProofError('the proof is not a valid DPoP proof')
  }
}

function removeQuery(htu: unknown): string | undefined {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return undefined
  const url = new URL(htu)
  return `${url.origin}${url.pathname}`
}

function hashSha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('base64url')
}

function createInvalidProofError(message: string): ProofError {
  return new ProofError('invalid_dpop_proof', message)
}
