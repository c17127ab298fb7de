/**
 * Stores the API invokers that are onboarded at the CAPIF core itself, and the security contexts of all invokers.
 * @see TS 29.222 clauses 8.4 and 8.5
 */

import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { ServiceSecurity } from './security-context.ts'

export interface Invoker {
  apiInvokerId: string
  onboardingId: string
  onboardingSecret: string
  notificationDestination: string
  information: string
  publicKey: string
}

export interface StoredSecurityContext {
  security: ServiceSecurity
  websocketUri?: string
}

export class Invokers {
  readonly #byId = new Map<string, Invoker>()
  readonly #contexts = new Map<string, StoredSecurityContext>()

  onboard(
    details: Pick<Invoker, 'notificationDestination' | 'information' | 'publicKey'>,
  ): Invoker {
    const invoker: Invoker = {
      apiInvokerId: `INV-${randomBytes(8).toString('hex')}`,
      onboardingId: randomUUID(),
      onboardingSecret: randomBytes(32).toString('base64url'),
      ...details,
    }
    this.#byId.set(invoker.apiInvokerId, invoker)
    return invoker
  }

  find(apiInvokerId: string): Invoker | undefined {
    return this.#byId.get(apiInvokerId)
  }

  findByOnboardingId(onboardingId: string): Invoker | undefined {
    return [...this.#byId.values()].find((invoker) => invoker.onboardingId === onboardingId)
  }

  offboard(invoker: Invoker): void {
    this.#byId.delete(invoker.apiInvokerId)
    this.#contexts.delete(invoker.apiInvokerId)
  }

  findContext(apiInvokerId: string): StoredSecurityContext | undefined {
    return this.#contexts.get(apiInvokerId)
  }

  setContext(apiInvokerId: string, context: StoredSecurityContext): void {
    this.#contexts.set(apiInvokerId, context)
  }

  removeContext(apiInvokerId: string): StoredSecurityContext | undefined {
    const context = this.#contexts.get(apiInvokerId)
    this.#contexts.delete(apiInvokerId)
    return context
  }
}

export function isSecretValid(invoker: Invoker, secret: string): boolean {
  const right = Buffer.from(invoker.onboardingSecret)
  const given = Buffer.from(secret)
  return right.length === given.length && timingSafeEqual(right, given)
}
