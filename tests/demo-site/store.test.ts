/** Actions of the player and the state of the page, against a broker double. */

import { describe, expect, test } from 'vitest'
import { createStore } from '../../demo-site/app/model/store.ts'
import {
  CONFIG,
  createCreatedAnswer,
  createGrant,
  createProviderError,
  createStage,
  SESSIONS_URL,
} from './broker-double.ts'

describe('PAGE-API section 1: discovery', () => {
  test('the state is missing when no broker answers', async () => {
    const store = createStore({
      config: CONFIG,
      findBroker: async () => undefined,
      fetch,
      now: () => 0,
    })
    expect(store.broker.value.kind).toBe('searching')
    await store.discover()
    expect(store.broker.value.kind).toBe('missing')
    await store.connect()
    expect(store.failed.value).toBeUndefined()
  })

  test('an existing grant is found', async () => {
    const { store } = await createStage({ getGrants: async () => [createGrant()] })
    expect(store.grant.value?.grantId).toBe('g1')
  })

  test('grants of another issuer, API or mode are ignored', async () => {
    const others = [
      createGrant({ issuer: 'https://other.example' }),
      createGrant({ apis: [{ resource: 'https://other.example/api', scope: 'x' }] }),
      createGrant({ mode: 'token' }),
    ]
    const { store } = await createStage({ getGrants: async () => others })
    expect(store.grant.value).toBeUndefined()
    store.mode.value = 'token'
    expect(store.grant.value?.mode).toBe('token')
  })

  test('a broker that cannot list its grants can still be asked to connect', async () => {
    const { store } = await createStage({
      getGrants: () => Promise.reject(createProviderError(-32603, 'internal_error')),
    })
    expect(store.broker.value.kind).toBe('found')
    await store.connect()
    expect(store.grant.value).toBeDefined()
  })
})

describe('PAGE-API section 2: the calls', () => {
  test('northbound_connect names issuer, API, scope, purpose, mode and client', async () => {
    const { store, calls } = await createStage()
    await store.connect()
    const { issuer, resource, scope, purpose, clientId } = CONFIG
    expect(calls.at(-1)).toMatchObject({
      method: 'connect',
      params: { issuer, apis: [{ resource, scope, purpose }], mode: 'fetch', clientId },
    })
  })

  test('TS 29.122 clause 5.14.3.2.3.4: 201 adds a session', async () => {
    const { store } = await createStage()
    await store.connect()
    await store.boost()
    expect(store.answer.value?.status).toBe(201)
    expect(store.sessions.value).toEqual([
      { url: `${SESSIONS_URL}/1`, id: '1', qosReference: 'QOS_L' },
    ])
    expect(store.boosted.value).toBe(true)
  })

  test.each([200, 204, 400, 401, 403, 429, 500, 503])('%i adds no session', async (status) => {
    const body = status === 204 ? null : '{}'
    const { store } = await createStage({ fetch: async () => new Response(body, { status }) })
    await store.connect()
    await store.boost()
    expect(store.answer.value?.status).toBe(status)
    expect(store.boosted.value).toBe(false)
  })

  test('the session list of the network replaces that of the page', async () => {
    const { store } = await createStage({
      fetch: async (_url, init) =>
        init?.method === 'POST' ? createCreatedAnswer() : Response.json([]),
    })
    await store.connect()
    await store.boost()
    await store.listSessions()
    expect(store.sessions.value).toEqual([])
  })

  test.each([
    [204, 0],
    [200, 0],
    [404, 0],
    [403, 1],
    [503, 1],
  ])('DELETE answered with %i leaves %i sessions', async (status, left) => {
    const { store } = await createStage({
      fetch: async (_url, init) =>
        init?.method === 'POST' ? createCreatedAnswer() : new Response(null, { status }),
    })
    await store.connect()
    await store.boost()
    const [session] = store.sessions.value ?? []
    if (session) await store.endSession(session)
    expect(store.sessions.value).toHaveLength(left)
  })

  test('northbound_revoke removes the grant, whether the server has confirmed it or not', async () => {
    const { store, calls } = await createStage({
      revoke: async () => ({ revoked: [], pending: ['g1'] }),
    })
    await store.connect()
    await store.boost()
    await store.disconnect()
    expect(calls.at(-1)).toEqual({ method: 'revoke', params: { grantId: 'g1' } })
    expect(store.grant.value).toBeUndefined()
    expect(store.boosted.value).toBe(false)
  })

  test('a second click during an activity does nothing', async () => {
    const { store, calls } = await createStage()
    await Promise.all([store.connect(), store.connect(), store.connect()])
    expect(calls.filter(({ method }) => method === 'connect')).toHaveLength(1)
  })

  test('an activity that the player cancels is not an error', async () => {
    const { store } = await createStage({
      connect: (_params, { signal } = {}) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    })
    const connecting = store.connect()
    expect(store.activity.value).toBe('connect')
    store.cancel()
    await connecting
    expect(store.activity.value).toBeUndefined()
    expect(store.failed.value).toBeUndefined()
  })
})

describe('PAGE-API section 4: errors', () => {
  test('an error is stored with its code, its word and its activity', async () => {
    const { store } = await createStage({
      connect: () => Promise.reject(createProviderError(4300, 'issuer_mismatch')),
    })
    await store.connect()
    expect(store.failed.value).toEqual({
      activity: 'connect',
      failure: { code: 4300, data: { error: 'issuer_mismatch' } },
    })
  })

  test('retry repeats the activity, and success clears the error', async () => {
    let attempts = 0
    const { store } = await createStage({
      connect: async () => {
        attempts += 1
        if (attempts === 1) throw createProviderError(4901, 'timeout')
        return createGrant()
      },
    })
    await store.connect()
    expect(store.failed.value?.failure.code).toBe(4901)
    await store.retry()
    expect(store.failed.value).toBeUndefined()
    expect(store.grant.value).toBeDefined()
  })

  test('4100: a grant that the broker does not know is removed', async () => {
    const { store } = await createStage({
      fetch: () => Promise.reject(createProviderError(4100, 'no_grant')),
    })
    await store.connect()
    await store.boost()
    expect(store.grant.value).toBeUndefined()
    expect(store.failed.value?.failure.code).toBe(4100)
  })

  test('4900: the broker is gone, and the grant is removed', async () => {
    const { store } = await createStage({
      fetch: () => Promise.reject(createProviderError(4900, 'broker_gone')),
    })
    await store.connect()
    await store.boost()
    expect(store.broker.value.kind).toBe('gone')
    expect(store.grant.value).toBeUndefined()
  })

  test('an error outside the convention is stored without a code', async () => {
    const { store } = await createStage({ connect: () => Promise.reject('a string') })
    await store.connect()
    expect(store.failed.value?.failure).toEqual({ code: undefined, data: { error: 'unexpected' } })
  })
})

describe('PAGE-API section 3: events', () => {
  test('grantsChanged replaces the grants of the page', async () => {
    const { store, emit } = await createStage()
    emit('grantsChanged', { grants: [createGrant({ grantId: 'other' })] })
    expect(store.grant.value?.grantId).toBe('other')
    emit('grantsChanged', { grants: [] })
    expect(store.grant.value).toBeUndefined()
  })

  test.each([
    [{ by: 'network', cause: 'OVERLIMIT_USAGE' } as const, /operator.*more than agreed/],
    [{ by: 'network', cause: 'constructor' } as const, /operator took the permission back\.$/],
    [{ by: 'user' } as const, /You took/],
  ])('grantRevoked %j ends permission and sessions, and says who did it', async (event, words) => {
    const { store, emit } = await createStage()
    await store.connect()
    await store.boost()
    emit('grantRevoked', { grantId: 'g1', ...event })
    expect(store.grant.value).toBeUndefined()
    expect(store.boosted.value).toBe(false)
    expect(store.notice.value?.text).toMatch(words)
  })

  test('grantRevoked by the page itself shows no notice', async () => {
    const { store, emit } = await createStage()
    await store.connect()
    emit('grantRevoked', { grantId: 'g1', by: 'page' })
    expect(store.grant.value).toBeUndefined()
    expect(store.notice.value).toBeUndefined()
  })

  test('disconnect ends the running activity, and the broker can be discovered again', async () => {
    const { store, emit } = await createStage({
      connect: (_params, { signal } = {}) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    })
    const connecting = store.connect()
    emit('disconnect', {})
    await connecting
    expect(store.broker.value.kind).toBe('gone')
    await store.discover()
    expect(store.broker.value.kind).toBe('found')
  })
})
