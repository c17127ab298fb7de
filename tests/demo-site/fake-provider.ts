/**
 * Token broker inside the page, for tests of the page alone. It follows the provider convention (announces itself on
 * request, freezes its objects) and answers as the test configures it.
 */

export interface BrokerError {
  code: number
  data: { error: string; httpStatus?: number; retryAfterSeconds?: number }
}

/** Configuration; plain data, because it is serialised into the page. */
export interface FakeBroker {
  issuer: string
  resource: string
  /** Fails every call of a method with this error. */
  errors?: Record<string, BrokerError>
  /** Methods that never settle. */
  hanging?: string[]
  /** Whether a grant exists when the page opens. */
  connected?: boolean
  /** Status of the answers to POST. Default: 201. */
  postStatus?: number
  tokenType?: 'Bearer' | 'DPoP'
}

/** Control of the fake broker, for the test outside the page. */
export interface FakeBrokerControl {
  emit(event: string, payload: unknown): void
  /** Lets a method fail with this error from now on. */
  fail(method: string, error: BrokerError): void
  calls: { method: string; params: unknown }[]
}

declare global {
  var fakeBroker: FakeBrokerControl
}

/** JWS in compact form, in the shape of an access token; its signature is meaningless. */
export const FAKE_ACCESS_TOKEN =
  'eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkiLCJzY29wZSI6InFvcyJ9.c2lnbmF0dXJl'

/** Runs in the page before its scripts, so it must not use anything outside of itself. */
export function installFakeBroker(options: FakeBroker, accessToken: string): void {
  type Listener = (payload: unknown) => void
  const listeners = new Map<string, Set<Listener>>()
  const calls: FakeBrokerControl['calls'] = []
  const encodeJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).buffer
  const createGrant = (mode: string) => ({
    grantId: `grant-${mode}`,
    issuer: options.issuer,
    clientId: 'skyframe',
    mode,
    apis: [{ resource: options.resource, scope: '3gpp-as-session-with-qos' }],
    subject: 'pairwise-7c1',
    tokenType: options.tokenType ?? 'Bearer',
    createdAt: Date.now(),
    expiresAt: Date.now() + 8 * 3_600_000,
  })
  const errors = { ...options.errors }
  let grants = options.connected ? [createGrant('fetch')] : []
  const sessions = new Map<string, object>()

  function createAnswer(
    status: number,
    statusText: string,
    headers: [string, string][],
    body?: object,
  ) {
    const bytes = body === undefined ? new ArrayBuffer(0) : encodeJson(body)
    return { url: options.resource, status, statusText, headers, body: bytes }
  }

  function callApi(url: string, method: string, body: ArrayBuffer | undefined) {
    if (method === 'GET') {
      return createAnswer(200, 'OK', [['content-type', 'application/json']], [...sessions.values()])
    }
    if (method === 'DELETE') {
      sessions.delete(url)
      return createAnswer(204, 'No Content', [])
    }
    const status = options.postStatus
    if (status !== undefined) {
      const problem = { title: 'Refused', status, cause: 'REQUESTED_SERVICE_NOT_AUTHORIZED' }
      return createAnswer(status, '', [['content-type', 'application/problem+json']], problem)
    }
    const self = `${url}/0b5c7e0a-4f0c-4d6c-9a2e-${String(sessions.size + 1).padStart(12, '0')}`
    const created = {
      self,
      ...(JSON.parse(new TextDecoder().decode(body)) as object),
      gpsi: 'msisdn-491701234567',
    }
    sessions.set(self, created)
    const headers: [string, string][] = [
      ['content-type', 'application/json'],
      ['location', self],
    ]
    return createAnswer(201, 'Created', headers, created)
  }

  const methods: Record<string, (params: Record<string, unknown>) => unknown> = {
    northbound_getGrants: () => grants,
    northbound_connect: ({ mode = 'fetch' }) => {
      const newGrant = createGrant(String(mode))
      grants = [...grants.filter((held) => held.mode !== mode), newGrant]
      return newGrant
    },
    northbound_fetch: ({ url, method, body }) =>
      callApi(String(url), String(method), body as ArrayBuffer | undefined),
    northbound_getAccessToken: ({ grantId, resource }) => ({
      accessToken,
      tokenType: options.tokenType ?? 'Bearer',
      expiresAt: Date.now() + 600_000,
      scope: '3gpp-as-session-with-qos',
      resource,
      grantId,
    }),
    northbound_createProof: () => ({ dpop: accessToken }),
    northbound_revoke: () => {
      const revoked = grants.map(({ grantId }) => grantId)
      grants = []
      sessions.clear()
      return { revoked, pending: [] }
    },
  }

  const rejectCall = ({ code, data }: BrokerError) =>
    Promise.reject(Object.assign(new Error('refused'), { name: 'ProviderError', code, data }))

  const provider = {
    async request({ method, params = {}, signal }: Record<string, unknown>) {
      calls.push({ method: String(method), params })
      const error = errors[String(method)]
      if (error) return rejectCall(error)
      if (options.hanging?.includes(String(method))) {
        await new Promise((_, reject) => {
          const abort = signal as AbortSignal | undefined
          abort?.addEventListener('abort', () => reject(abort.reason))
        })
      }
      const run = methods[String(method)]
      return run
        ? run(params as Record<string, unknown>)
        : rejectCall({ code: 4200, data: { error: 'unsupported_method' } })
    },
    on(event: string, listener: Listener) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener))
    },
    removeListener(event: string, listener: Listener) {
      listeners.get(event)?.delete(listener)
    },
  }
  const info = {
    uuid: '0f6b2d1e-5c3a-4b7d-9e8f-a1b2c3d4e5f6',
    name: 'Northkey',
    rdns: 'example.northkey',
    icon: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='2' fill='%23123a5c'/%3E%3C/svg%3E",
    version: '0.1.0',
    protocol: '1',
  }
  const detail = Object.freeze({ info: Object.freeze(info), provider: Object.freeze(provider) })
  window.addEventListener('northbound:requestProvider', () => {
    window.dispatchEvent(new CustomEvent('northbound:announceProvider', { detail }))
  })
  globalThis.fakeBroker = {
    calls,
    fail(method, error) {
      errors[method] = error
    },
    emit(event, payload) {
      if (event === 'grantRevoked') grants = []
      for (const listener of listeners.get(event) ?? []) listener(payload)
    },
  }
}
