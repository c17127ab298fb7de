/**
 * Channels to CAPIF cores: one for each client with a grant, reconnected with an exponential back-off, and bounded
 * against a core that sends too much.
 *
 * Seen to fail when a channel is opened at the sign-in alone (no channel after a restart), when a channel
 * without a grant is deleted while its user signs in, and when the back-off does not grow; A07: without the limits
 * of `notification-socket.ts`, when a violation is forgotten as soon as the connection opens, when each notification
 * reads the records by itself, when any host is accepted, when the end of a grant or a change of the operators leaves
 * the sockets as they are, when an address that was rejected once is forgotten, when a socket does not wait for the
 * rule, when one queue is held over the negotiations of all cores, and when a notification waits until the server has
 * answered the revocation that an earlier one caused. N12: when a notification is compared with the tokens that a
 * grant has at that moment, and with no others.
 */

import 'fake-indexeddb/auto'
import fake, { alarm, reportPolicyChange, rules } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import type { CapifNegotiation } from '../../../../shared/profiles/capif-security.ts'
import { flowOf, grantOf, ISSUER, OPERATOR } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const { negotiate, reads, findCore, server } = vi.hoisted(() => ({
  findCore: vi.fn<(issuer: string) => OperatorProfile | undefined>(),
  negotiate: vi.fn<(server: { issuer: string }) => Promise<unknown>>(),
  reads: vi.fn(),
  /** What the answer to a revocation waits for. */
  server: { answered: undefined as Promise<void> | undefined },
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<typeof import('../../../../shared/core/index.ts')>()),
  negotiateSecurity: negotiate,
}))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async (issuer: string) => findCore(issuer),
}))
vi.mock('../../../../extension/background/grants/end-grant.ts', async (original) => {
  const { endGrant } =
    await original<typeof import('../../../../extension/background/grants/end-grant.ts')>()
  return {
    endGrant: async (...parameters: Parameters<typeof endGrant>) => {
      const isServerInformed = await endGrant(...parameters)
      await server.answered
      return isServerInformed
    },
  }
})
vi.mock('../../../../extension/background/grants/grants.ts', async (original) => {
  const grants =
    await original<typeof import('../../../../extension/background/grants/grants.ts')>()
  const listAllGrants = () => {
    reads()
    return grants.listAllGrants()
  }
  return { ...grants, listAllGrants }
})

import {
  listenForRevocations,
  openChannel,
} from '../../../../extension/background/authorization/capif-revocation-channel.ts'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import { MAX_MESSAGE_LENGTH } from '../../../../extension/background/authorization/notification-socket.ts'
import type { AuthorizationResult } from '../../../../extension/background/grants/authorization-result.ts'
import {
  deleteGrant,
  type GrantRecord,
  listAllGrants,
  saveGrant,
} from '../../../../extension/background/grants/grants.ts'
import { readTokens, saveTokens } from '../../../../extension/background/grants/token-records.ts'
import { log } from '../../../../extension/background/platform/log.ts'

const OPERATOR_OF_CORE = { ...OPERATOR, profile: 'capif' as const }
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const URI = 'wss://as.example/notifications'

const RESOURCE = grantOf().apis[0]?.resource ?? ''

const tokensOf = (accessToken: string): AuthorizationResult => ({
  tokens: {
    accessToken,
    tokenType: 'Bearer',
    expiresAtMs: Date.now() + MINUTE_MS,
    scope: 'qos:create',
    singleUse: false,
  },
  metadata: {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/authorize`,
    code_challenge_methods_supported: ['S256'],
  },
})

class FakeSocket {
  static readonly OPEN = 1
  static all: FakeSocket[] = []
  readyState = 1
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  closedWith: number | undefined
  /** Session rules of the browser when the handshake was sent. */
  readonly rules = structuredClone(rules.session)
  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }
  send(): void {}
  /** Closed by the broker. */
  close(code = 1000): void {
    this.closedWith = code
    this.onclose?.()
  }
  /** Closed by the core. */
  end(): void {
    this.onclose?.()
  }
  receive(data: unknown): void {
    this.onmessage?.({ data })
  }
}

let grant: GrantRecord
let saved: GrantRecord[]

async function save(members: Partial<GrantRecord> = {}): Promise<GrantRecord> {
  const record = { ...grant, ...members }
  saved.push(record)
  await saveGrant(record)
  return record
}

beforeEach(() => {
  Object.assign(globalThis, { WebSocket: FakeSocket })
  FakeSocket.all = []
  alarm.when = undefined
  findCore.mockReset().mockImplementation((issuer) => ({ ...OPERATOR_OF_CORE, issuer }))
  negotiate.mockReset().mockResolvedValue({ websocketUri: URI } as CapifNegotiation)
  // Each client has a channel and a rate of its own.
  grant = grantOf({ clientId: crypto.randomUUID() })
  saved = []
  server.answered = undefined
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(saved.map((record) => deleteGrant(record)))
  await listenForRevocations()
  await log.clear()
})

/** Waits for a number of sockets. */
const sockets = (count: number): Promise<FakeSocket[]> =>
  vi.waitFor(async () => {
    await listenForRevocations()
    expect(FakeSocket.all).toHaveLength(count)
    return FakeSocket.all
  }, WITHIN_MS)

/** Waits until a client has been negotiated with, and does again what could open its socket. */
async function listened(negotiated = 1): Promise<FakeSocket[]> {
  await listenForRevocations()
  await vi.waitFor(() => expect(negotiate).toHaveBeenCalledTimes(negotiated), WITHIN_MS)
  // Barrier: the channel of another client gets its socket by the same way, later.
  const before = FakeSocket.all.length
  const other = await save({ clientId: crypto.randomUUID(), grantId: crypto.randomUUID() })
  negotiate.mockResolvedValueOnce({ websocketUri: `${URI}/barrier` })
  await vi.waitFor(async () => {
    await listenForRevocations()
    expect(FakeSocket.all.at(-1)?.url).toBe(`${URI}/barrier`)
  }, WITHIN_MS)
  await deleteGrant(other)
  await listenForRevocations()
  const found = FakeSocket.all.slice(0, -1)
  expect(found.length).toBeGreaterThanOrEqual(before)
  FakeSocket.all = found
  negotiate.mock.calls.pop()
  return found
}

/** Time from now to the next attempt. */
const pauseMs = () =>
  vi.waitFor(() => {
    if (alarm.when === undefined) throw new Error('no alarm')
    return alarm.when - Date.now()
  }, WITHIN_MS)

/** Lets the clock jump to the next attempt. */
function jump(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.now() + ms })
  alarm.when = undefined
}

const deepJson = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

const notification = (members: object = {}) =>
  JSON.stringify({
    apiInvokerId: grant.clientId,
    apiIds: ['api'],
    cause: 'OTHER_REASON',
    accessToken: crypto.randomUUID(),
    ...members,
  })

const loggedOutcomes = async () =>
  (await log.read()).filter(({ event }) => event === 'operator').map(({ outcome }) => outcome)

describe('a CAPIF core', () => {
  test('is connected for a grant of an earlier browser session, after one negotiation', async () => {
    await save()
    expect(await sockets(1)).toMatchObject([{ url: URI }])
    expect(await listened()).toHaveLength(1)
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('without notifications is negotiated with once and not connected', async () => {
    negotiate.mockResolvedValueOnce(undefined)
    await save()
    expect(await listened()).toEqual([])
    expect(await listened()).toEqual([])
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('keeps its channel without a grant while the user signs in', async () => {
    const flow = flowOf()
    await flows.set(flow.flowId, { ...flow, status: 'awaitingConsent' })
    await openChannel(OPERATOR_OF_CORE, grant.clientId, grant.apis)
    await listenForRevocations()
    await save()
    await flows.delete(flow.flowId)
    expect(await sockets(1)).toMatchObject([{ url: URI }])
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('ends a grant at once, also while the server answers the revocation of another', async () => {
    await save()
    const other = await save({ grantId: crypto.randomUUID(), clientId: grant.clientId })
    await saveTokens(grant, 'key', RESOURCE, tokensOf('first'))
    await saveTokens(other, 'key', RESOURCE, tokensOf('second'))
    const [socket] = await sockets(1)
    let answer = () => {}
    server.answered = new Promise((resolve) => {
      answer = resolve
    })
    onTestFinished(() => answer())
    socket?.receive(notification({ accessToken: 'first' }))
    await vi.waitFor(async () => expect(await listAllGrants()).toEqual([other]), WITHIN_MS)
    socket?.receive(notification({ accessToken: 'second' }))
    await vi.waitFor(async () => expect(await listAllGrants()).toEqual([]), WITHIN_MS)
  })

  test('ends a grant whose renewed token it names before the token has arrived', async () => {
    await save()
    await saveTokens(grant, 'key', RESOURCE, tokensOf('first'))
    const [socket] = await sockets(1)
    socket?.receive(notification({ accessToken: 'renewed' }))
    // The next notification is handled after it.
    const other = await save({ grantId: crypto.randomUUID(), clientId: grant.clientId })
    await saveTokens(other, 'key', RESOURCE, tokensOf('other'))
    socket?.receive(notification({ accessToken: 'other' }))
    await vi.waitFor(async () => expect(await listAllGrants()).toEqual([grant]), WITHIN_MS)
    await expect(saveTokens(grant, 'key', RESOURCE, tokensOf('renewed'))).rejects.toMatchObject({
      code: ERROR_CODE.noGrant,
    })
    expect(await listAllGrants()).toEqual([])
    expect(await readTokens(grant.grantId)).toBe(undefined)
  })

  test('ends a grant whose replaced token it names', async () => {
    await save()
    await saveTokens(grant, 'key', RESOURCE, tokensOf('first'))
    await saveTokens(grant, 'key', RESOURCE, tokensOf('second'))
    const [socket] = await sockets(1)
    socket?.receive(notification({ accessToken: 'first' }))
    await vi.waitFor(async () => expect(await listAllGrants()).toEqual([]), WITHIN_MS)
  })

  test('that closes its connections is reconnected with an exponential back-off and jitter', async () => {
    await save()
    await sockets(1)
    for (let times = 1; times <= 3; times++) {
      alarm.when = undefined
      FakeSocket.all.at(-1)?.end()
      const pause = await pauseMs()
      const plain = MINUTE_MS * 2 ** (times - 2)
      expect(pause).toBeGreaterThan(plain - SECOND_MS)
      expect(pause).toBeLessThan(plain * 1.25 + SECOND_MS)
      expect(await listened()).toHaveLength(times)
      jump(plain * 1.25 + SECOND_MS)
      await sockets(times + 1)
    }
    alarm.when = undefined
    FakeSocket.all.at(-1)?.onopen?.()
    FakeSocket.all.at(-1)?.end()
    expect(await pauseMs()).toBeLessThan(MINUTE_MS)
  })

  test('that cannot be reached is negotiated with again after the back-off', async () => {
    negotiate.mockRejectedValueOnce(new Error('down'))
    await save()
    expect(await listened()).toEqual([])
    expect(negotiate).toHaveBeenCalledTimes(1)
    jump(MINUTE_MS)
    await sockets(1)
    expect(negotiate).toHaveBeenCalledTimes(2)
  })
})

describe('A07: a hostile CAPIF core', () => {
  const tooMany = (socket: FakeSocket) => {
    for (let sent = 0; sent < 30_000; sent++) socket.receive(notification())
  }
  const tooLong = (socket: FakeSocket) => socket.receive(' '.repeat(MAX_MESSAGE_LENGTH + 1))

  test.each([
    ['30,000 notifications', tooMany, 'too many messages'],
    ['a message beyond 256 kB', tooLong, 'a message is too long'],
    [
      'a binary message',
      (socket: FakeSocket) => socket.receive(new ArrayBuffer(8)),
      'a message is no text',
    ],
  ])('%s: is disconnected at once, with an entry in the log', async (_, send, violation) => {
    await save()
    const [socket] = await sockets(1)
    socket?.onopen?.()
    if (socket) send(socket)
    expect(socket?.closedWith).toBe(4000)
    expect(socket?.onmessage).toBeNull()
    expect(await pauseMs()).toBeGreaterThan(29 * SECOND_MS)
    expect(await listened()).toHaveLength(1)
    expect(await loggedOutcomes()).toEqual([`revocation channel closed: ${violation}`])
    expect(await listAllGrants()).toHaveLength(1)
  })

  test('30,000 notifications lead to a bounded number of reads', async () => {
    await save()
    const [socket] = await sockets(1)
    reads.mockClear()
    if (socket) tooMany(socket)
    await pauseMs()
    expect(reads.mock.calls.length).toBeLessThan(10)
  })

  test('a violation makes the back-off longer, also after connections that opened, for a day', async () => {
    await save()
    for (let times = 1; times <= 4; times++) {
      const socket = (await sockets(times)).at(-1)
      socket?.onopen?.()
      alarm.when = undefined
      if (socket) tooLong(socket)
      const pause = await pauseMs()
      expect(pause).toBeGreaterThan(MINUTE_MS * 2 ** (times - 2) - SECOND_MS)
      jump(pause + 1)
    }
    const socket = (await sockets(5)).at(-1)
    jump(DAY_MS + MINUTE_MS)
    if (socket) tooLong(socket)
    expect(await pauseMs()).toBeLessThan(MINUTE_MS)
  })

  test('a user who connects again does not end the back-off', async () => {
    await save()
    const [socket] = await sockets(1)
    if (socket) tooLong(socket)
    await pauseMs()
    await openChannel(OPERATOR_OF_CORE, grant.clientId, grant.apis)
    expect(await listened(2)).toHaveLength(1)
  })

  test('many notifications for one grant end it once, and leave the grants of other clients', async () => {
    await save()
    const other = await save({ clientId: 'other', grantId: crypto.randomUUID() })
    const opened = await sockets(2)
    const text = notification({ accessToken: undefined })
    for (const socket of opened) for (let sent = 0; sent < 20; sent++) socket.receive(text)
    await vi.waitFor(async () => expect(await listAllGrants()).toEqual([other]), WITHIN_MS)
    const entries = (await log.read()).filter(({ event }) => event === 'revocation')
    expect(entries.map(({ outcome }) => outcome)).toEqual(['by network: OTHER_REASON'])
  })

  test('text that is no notification, or is nested very deeply, changes nothing', async () => {
    await save()
    const [socket] = await sockets(1)
    for (const text of ['', '{', '[]', 'null', '['.repeat(100_000), notification({ apiIds: [] })]) {
      socket?.receive(text)
    }
    socket?.receive(notification({ accessToken: undefined, x: JSON.parse(deepJson(1_000)) }))
    expect(await listened()).toHaveLength(1)
    expect(socket?.closedWith).toBeUndefined()
    expect(await listAllGrants()).toHaveLength(1)
  })

  test.each([
    ['wss://evil.example/notifications', 'expected a server that the profile names'],
    ['wss://as.example.evil.example/', 'expected a server that the profile names'],
    ['wss://user:pass@as.example/', 'expected no user information'],
    ['wss://as.example/#fragment', 'expected no fragment'],
    ['ws://as.example/notifications', 'expected a wss URL'],
    ['https://as.example/notifications', 'expected a wss URL'],
    ['notifications', 'expected a wss URL'],
  ])('the websocketUri %s gets no connection, and an entry in the log', async (uri, reason) => {
    negotiate.mockResolvedValueOnce({ websocketUri: uri })
    await save()
    expect(await listened()).toEqual([])
    expect(await listened()).toEqual([])
    expect(await loggedOutcomes()).toEqual([`websocketUri rejected: ${reason}`])
  })

  test('a core that hangs at the negotiation delays no other core', async () => {
    const [hanging, quick] = ['https://hanging.example', ISSUER]
    negotiate.mockImplementation(({ issuer }) =>
      issuer === hanging ? new Promise(() => {}) : Promise.resolve({ websocketUri: URI }),
    )
    await save({ issuer: hanging, grantId: crypto.randomUUID() })
    await listenForRevocations()
    await save({ issuer: quick })
    expect(await sockets(1)).toMatchObject([{ url: URI }])
  })
})

describe('A07: a core to which nothing leads any more is disconnected at once', () => {
  /** Nothing else updates the channels: no housekeeping, no later call. */
  const isClosed = (socket: FakeSocket | undefined) =>
    vi.waitFor(() => expect(socket?.closedWith).toBe(1000), WITHIN_MS)

  test('after the last grant of the client, and not before', async () => {
    await save()
    const last = await save({ grantId: crypto.randomUUID() })
    const [socket] = await sockets(1)
    await deleteGrant(grant)
    expect(await listened()).toHaveLength(1)
    expect(socket?.closedWith).toBeUndefined()
    await deleteGrant(last)
    await isClosed(socket)
  })

  test('after its operator was removed', async () => {
    await save()
    const [socket] = await sockets(1)
    findCore.mockReturnValue(undefined)
    reportPolicyChange()
    await isClosed(socket)
  })

  test('after the profile no longer names its server, and connected when the profile names it', async () => {
    const moved = { ...OPERATOR_OF_CORE, serverOrigins: ['https://push.example'] }
    findCore.mockReturnValue(moved)
    negotiate.mockResolvedValueOnce({ websocketUri: 'wss://push.example/' })
    await save()
    const [socket] = await sockets(1)
    findCore.mockReturnValue(OPERATOR_OF_CORE)
    reportPolicyChange()
    await isClosed(socket)
    findCore.mockReturnValue(moved)
    reportPolicyChange()
    await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(2), WITHIN_MS)
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('and one whose server was unknown at the negotiation is connected once the profile names it', async () => {
    negotiate.mockResolvedValueOnce({ websocketUri: 'wss://push.example/' })
    await save()
    expect(await listened()).toEqual([])
    findCore.mockReturnValue({ ...OPERATOR_OF_CORE, serverOrigins: ['https://push.example'] })
    reportPolicyChange()
    await vi.waitFor(
      () => expect(FakeSocket.all).toMatchObject([{ url: 'wss://push.example/' }]),
      WITHIN_MS,
    )
  })
})

describe('A07: a handshake in Firefox', () => {
  test('is not sent without the permission that the rule needs', async () => {
    Object.assign(globalThis, { __TARGET__: 'firefox' })
    const contains = vi.spyOn(fake.permissions, 'contains').mockResolvedValue(false)
    onTestFinished(() => {
      contains.mockRestore()
      Object.assign(globalThis, { __TARGET__: 'chromium' })
    })
    await save()
    await vi.waitFor(async () => {
      await listenForRevocations()
      expect(contains).toHaveBeenCalledWith({ origins: ['https://as.example/*'] })
    }, WITHIN_MS)
    // The failure is stored before the alarm is set, and after a handshake would have been sent.
    await pauseMs()
    expect(FakeSocket.all).toEqual([])
  })

  test('is sent only after the rule that removes the cookies', async () => {
    Object.assign(globalThis, { __TARGET__: 'firefox' })
    onTestFinished(() => void Object.assign(globalThis, { __TARGET__: 'chromium' }))
    await save()
    const [socket] = await sockets(1)
    expect(socket?.rules).toEqual([
      {
        id: 3,
        action: {
          type: 'modifyHeaders',
          requestHeaders: [
            { header: 'cookie', operation: 'remove' },
            { header: 'origin', operation: 'remove' },
          ],
          responseHeaders: [{ header: 'set-cookie', operation: 'remove' }],
        },
        condition: {
          initiatorDomains: ['northkey'],
          resourceTypes: ['websocket', 'xmlhttprequest'],
        },
      },
    ])
  })
})
