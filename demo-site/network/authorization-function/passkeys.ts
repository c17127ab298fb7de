/**
 * Registers the passkeys of subscribers from their account, and verifies sign-in with them.
 * @see WebAuthn level 3
 */

import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server'
import { LRUCache } from 'lru-cache'
import type { Subscriber } from '../subscribers.ts'

const LIFETIME_MS = 5 * 60 * 1000

interface Passkey {
  subscriberId: string
  credential: WebAuthnCredential
}

export interface RelyingParty {
  /** Domain name; WebAuthn does not accept an IP address. */
  id: string
  name: string
  origin: string
}

export class Passkeys {
  readonly #relyingParty: RelyingParty
  readonly #byId = new Map<string, Passkey>()
  /** Challenges by their purpose: an interaction or an account session. */
  readonly #challenges = new LRUCache<string, string>({ max: 1000, ttl: LIFETIME_MS })

  constructor(relyingParty: RelyingParty) {
    this.#relyingParty = relyingParty
  }

  countBySubscriber(subscriberId: string): number {
    return [...this.#byId.values()].filter((passkey) => passkey.subscriberId === subscriberId)
      .length
  }

  async createRegistrationOptions(purpose: string, subscriber: Subscriber) {
    const options = await generateRegistrationOptions({
      rpID: this.#relyingParty.id,
      rpName: this.#relyingParty.name,
      userID: new TextEncoder().encode(subscriber.id),
      userName: subscriber.phoneNumber,
      userDisplayName: subscriber.name,
      attestationType: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
    })
    this.#challenges.set(purpose, options.challenge)
    return options
  }

  /** Registers a passkey for the subscriber. Returns whether it was accepted. */
  async register(
    purpose: string,
    subscriber: Subscriber,
    response: RegistrationResponseJSON,
  ): Promise<boolean> {
    const expectedChallenge = this.#takeChallenge(purpose)
    if (expectedChallenge === undefined) return false
    const result = await verifyRegistrationResponse({
      response,
      expectedChallenge,
      expectedOrigin: this.#relyingParty.origin,
      expectedRPID: this.#relyingParty.id,
      requireUserVerification: false,
    }).catch(() => undefined)
    if (!result?.verified || !result.registrationInfo) return false
    const { credential } = result.registrationInfo
    this.#byId.set(credential.id, { subscriberId: subscriber.id, credential })
    return true
  }

  async createAuthenticationOptions(purpose: string) {
    const options = await generateAuthenticationOptions({
      rpID: this.#relyingParty.id,
      userVerification: 'preferred',
    })
    this.#challenges.set(purpose, options.challenge)
    return options
  }

  /** Returns the identifier of the subscriber whose passkey has signed the challenge. */
  async authenticate(
    purpose: string,
    response: AuthenticationResponseJSON,
  ): Promise<string | undefined> {
    const expectedChallenge = this.#takeChallenge(purpose)
    const passkey = this.#byId.get(String(response?.id))
    if (expectedChallenge === undefined || !passkey) return undefined
    const result = await verifyAuthenticationResponse({
      response,
      expectedChallenge,
      expectedOrigin: this.#relyingParty.origin,
      expectedRPID: this.#relyingParty.id,
      credential: passkey.credential,
      requireUserVerification: false,
    }).catch(() => undefined)
    if (!result?.verified) return undefined
    passkey.credential.counter = result.authenticationInfo.newCounter
    return passkey.subscriberId
  }

  #takeChallenge(purpose: string): string | undefined {
    const challenge = this.#challenges.get(purpose)
    this.#challenges.delete(purpose)
    return challenge
  }
}
