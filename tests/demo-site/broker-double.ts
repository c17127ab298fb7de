/** Broker double for tests of the store: answers in the terms of the page, without a browser. */

import type { Broker } from '../../demo-site/app/broker.ts'
import type { DemoSiteConfig } from '../../demo-site/app/config.ts'
import { createStore, type Store } from '../../demo-site/app/model/store.ts'
import type {
  ConnectParams,
  Grant,
  ProviderEvent,
  ProviderEvents,
} from '../../shared/messages/page-api.ts'

export const CONFIG: DemoSiteConfig = {
  issuer: 'http://localhost:4400',
  resource: 'http://127.0.0.1:4401/3gpp-as-session-with-qos/v1',
  scope: '3gpp-as-session-with-qos',
  purpose: 'dpv:RequestedServiceProvision',
  clientId: 'skyframe',
  scsAsId: 'skyframe',
}

export const SESSIONS_URL = `${CONFIG.resource}/skyframe/subscriptions`

export const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'

export function createGrant(changes: Partial<Grant> = {}): Grant {
  return {
    grantId: 'g1',
    issuer: CONFIG.issuer,
    clientId: 'skyframe',
    mode: 'fetch',
    apis: [{ resource: CONFIG.resource, scope: CONFIG.scope }],
    subject: 'pairwise',
    tokenType: 'Bearer',
    createdAt: 0,
    expiresAt: 1,
    ...changes,
  }
}

export function createProviderError(code: number, error: string): Error {
  return Object.assign(new Error('refused'), { code, data: { error } })
}

export const createCreatedAnswer = (id = '1') => {
  const self = `${SESSIONS_URL}/${id}`
  return Response.json(
    { self, qosReference: 'QOS_L' },
    { status: 201, headers: { location: self } },
  )
}

export interface Stage {
  store: Store
  broker: Broker
  calls: { method: string; params: unknown }[]
  emit<E extends ProviderEvent>(event: E, payload: ProviderEvents[E]): void
}

/** Creates a store with a broker, some of whose methods the test replaces, and runs the discovery. */
export async function createStage(
  replaced: Partial<Broker> = {},
  pageFetch: typeof fetch = async () => Response.error(),
): Promise<Stage> {
  const calls: Stage['calls'] = []
  const listeners = new Map<string, (payload: never) => void>()
  const broker: Broker = {
    info: {
      uuid: 'a3f0c2de-1111-4222-8333-444455556666',
      name: 'Northkey',
      rdns: 'example.northkey',
      icon: 'data:image/svg+xml,',
      version: '1',
      protocol: '1',
    },
    connect: async ({ mode = 'fetch' }: ConnectParams) => createGrant({ mode }),
    getGrants: async () => [],
    getAccessToken: async () => ({
      accessToken: TOKEN,
      tokenType: 'Bearer',
      expiresAt: 1,
      scope: CONFIG.scope,
      resource: CONFIG.resource,
      grantId: 'g1',
    }),
    fetch: async () => createCreatedAnswer(),
    createProof: async () => ({ dpop: 'eyJwcm9vZiI6MX0.e30.c2ln' }),
    revoke: async () => ({ revoked: ['g1'], pending: [] }),
    on(event, listener) {
      listeners.set(event, listener as (payload: never) => void)
      return () => listeners.delete(event)
    },
    ...replaced,
  }
  const recordingBroker = new Proxy(broker, {
    get(target, name: keyof Broker) {
      const member = target[name]
      if (typeof member !== 'function' || name === 'on') return member
      return (...args: [never, never]) => {
        calls.push({ method: name, params: args[0] })
        return (member as (...args: never[]) => unknown)(...args)
      }
    },
  })
  const store = createStore({
    config: CONFIG,
    findBroker: async () => recordingBroker,
    fetch: pageFetch,
    now: () => 0,
  })
  await store.discover()
  const emit: Stage['emit'] = (event, payload) => listeners.get(event)?.(payload as never)
  return { store, broker, calls, emit }
}
