/**
 * Holds the active QoS sessions of all APIs. The user plane reads its rate here, so a session takes effect as soon
 * as it is created.
 */

import { EventEmitter } from 'node:events'
import { BEST_EFFORT, type QosProfile } from './qos-profiles.ts'

export type EndCause = 'duration-expired' | 'deleted' | 'network-terminated'

export interface QosSession {
  id: string
  subscriberId: string
  /** Issuer of the token that requested the session; `clientId` is the application. */
  issuer: string
  clientId: string
  profile: QosProfile
  startedAtMs: number
  /** Epoch milliseconds; absent for a session without a fixed end. */
  expiresAtMs?: number
}

interface Events {
  changed: [subscriberId: string]
  ended: [session: QosSession, cause: EndCause]
}

const MAX_TIMER_MS = 2 ** 31 - 1

export class QosSessions extends EventEmitter<Events> {
  readonly #sessions = new Map<string, QosSession>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  /** Starts a session, or changes the session with this identifier. */
  set(session: QosSession): void {
    this.#sessions.set(session.id, session)
    this.#schedule(session)
    this.emit('changed', session.subscriberId)
  }

  end(id: string, cause: EndCause): void {
    const session = this.#sessions.get(id)
    if (!session) return
    this.#sessions.delete(id)
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    this.emit('ended', session, cause)
    this.emit('changed', session.subscriberId)
  }

  /** Ends the sessions of an application for a subscriber who has revoked its authorization. */
  endByClient(issuer: string, clientId: string, subscriberId: string): void {
    for (const session of [...this.#sessions.values()]) {
      const isOfClient = session.issuer === issuer && session.clientId === clientId
      if (isOfClient && session.subscriberId === subscriberId)
        this.end(session.id, 'network-terminated')
    }
  }

  find(id: string): QosSession | undefined {
    return this.#sessions.get(id)
  }

  /** Returns the QoS profile of the subscriber's fastest session, or best effort. */
  profileOf(subscriberId: string): QosProfile {
    let best = BEST_EFFORT
    for (const session of this.#sessions.values()) {
      if (session.subscriberId !== subscriberId) continue
      if (session.profile.downlinkBitsPerSecond > best.downlinkBitsPerSecond) best = session.profile
    }
    return best
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#sessions.clear()
    this.removeAllListeners()
  }

  #schedule(session: QosSession): void {
    clearTimeout(this.#timers.get(session.id))
    if (session.expiresAtMs === undefined) return
    const delay = Math.min(Math.max(session.expiresAtMs - Date.now(), 0), MAX_TIMER_MS)
    const timer = setTimeout(() => this.end(session.id, 'duration-expired'), delay)
    timer.unref()
    this.#timers.set(session.id, timer)
  }
}
