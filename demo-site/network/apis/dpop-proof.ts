/**
 * How an API exposing function judges a DPoP proof. @see RFC 9449 sections 4.3, 7.1 and 9; CAMARA
 * Security and Interoperability Profile for `camara:bh` and `camara:qh`
 */

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'

const WINDOW_SECONDS = 300
const NONCE_SECONDS = 120

export interface ProofDemand {
  method: string
  /** The URL called, without query and fragment. */
  url: string
  accessToken: string
  thumbprint: string
  nonceRequired: boolean
  /** Raw query, where `camara:qh` is demanded. */
  query?: string | undefined
  /** Raw body, where `camara:bh` is demanded. */
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

  /** The nonce of now; those of the last minutes count as well. */
  nonce(step = Math.floor(Date.now() / 1000 / NONCE_SECONDS)): string {
    return createHmac('sha256', this.#secret).update(String(step)).digest('base64url')
  }

  async check(proof: string, demand: ProofDemand): Promise<void> {
    const { payload, jwk } = await verify(proof)
    if ((await calculateJwkThumbprint(jwk)) !== demand.thumbprint) {
      throw invalid('the proof is of another key than the token')
    }
    if (payload.htm !== demand.method) throw invalid('htm is not the method called')
    if (withoutQuery(payload.htu) !== demand.url) throw invalid('htu is not the URL called')
    if (payload.ath !== hash(demand.accessToken)) throw invalid('ath is not of the access token')
    if (demand.body !== undefined && payload['camara:bh'] !== hash(demand.body)) {
      throw invalid('camara:bh is not of the body')
    }
    if (demand.query && payload['camara:qh'] !== hash(demand.query)) {
      throw invalid('camara:qh is not of the query')
    }
    const age = Math.abs(Date.now() / 1000 - Number(payload.iat))
    if (!(age <= WINDOW_SECONDS)) throw invalid('iat is not recent')
    if (demand.nonceRequired || payload.nonce !== undefined) this.#checkNonce(payload.nonce)
    const id = `${demand.thumbprint} ${String(payload.jti)}`
    if (typeof payload.jti !== 'string' || this.#seen.has(id)) throw invalid('jti was used before')
    this.#seen.set(id, true)
  }

  #checkNonce(nonce: unknown): void {
    const step = Math.floor(Date.now() / 1000 / NONCE_SECONDS)
    if (nonce === this.nonce(step) || nonce === this.nonce(step - 1)) return
    throw new ProofError('use_dpop_nonce', 'a nonce of this server is required in the proof')
  }
}

async function verify(proof: string): Promise<{ payload: JWTPayload; jwk: JsonWebKey }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iat', 'jti', 'htm', 'htu'],
      currentDate: new Date(Date.now()),
    })
    return { payload, jwk: protectedHeader.jwk as JsonWebKey }
  } catch {
    throw invalid('the proof is not a valid DPoP proof')
  }
}

function withoutQuery(htu: unknown): string | undefined {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return undefined
  const url = new URL(htu)
  return `${url.origin}${url.pathname}`
}

function hash(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('base64url')
}

function invalid(message: string): ProofError {
  return new ProofError('invalid_dpop_proof', message)
}
