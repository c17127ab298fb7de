/**
 * One new try after a definite refusal: with another client where the server has forgotten the one that the broker
 * registered, and with new metadata and keys.
 *
 * Seen to fail when `runAsClient` throws the first error, tries a second time with the same client, or tries without
 * end; when `giveUpClient` keeps the registration, gives up a client of the profile, or has no limit.
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

const servers = vi.hoisted(() => ({
  registered: 0,
  metadata: {} as object,
  dropped: [] as string[],
}))

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operator-discovery.ts', () => ({
  discoverServer: async () => servers.metadata,
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  registerClient: async () => ({ clientId: `client ${++servers.registered}` }),
  dropKeySet: (uri: string) => servers.dropped.push(uri),
}))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClientAtServer } from '../../../../extension/background/clients/client-retry.ts'
import type { NorthkeyErrorCode, ServerMetadata } from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { METADATA, newOrigin } from '../../support/operator.ts'
import { OPERATOR, ORIGIN } from '../../support/records.ts'

const { runAsClient } = await import('../../../../extension/background/clients/client-retry.ts')
const { findBoundApplication, resolveClientId } = await import(
  '../../../../extension/background/clients/clients.ts'
)
const { NorthkeyError } = await import('../../../../shared/core/index.ts')

const DYNAMIC: OperatorProfile = { ...OPERATOR, onboarding: 'dynamic' }
const KNOWN: ServerMetadata = { ...METADATA, jwks_uri: 'https://operator.example/keys' }

const refusal = (
  error?: string,
  httpStatus = 400,
  code: NorthkeyErrorCode = 'authorization_server_error',
) => new NorthkeyError(code, 'refused', { error, httpStatus })

/** Runs a task that a server refuses for some clients. @returns The clients that it was tried with. */
async function tryAs(
  server: OperatorProfile,
  origin: string,
  clientId: string,
  refuse: (client: ClientAtServer) => Error | undefined,
) {
  const tried: string[] = []
  const outcome = await runAsClient(
    server,
    origin,
    clientId,
    async (client) => {
      tried.push(client.clientId)
      const error = refuse(client)
      if (error) throw error
      return 'done'
    },
    KNOWN,
  ).catch((error: InstanceType<typeof NorthkeyError>) => error.error ?? error.code)
  return { tried, outcome }
}

beforeEach(() => {
  servers.metadata = KNOWN
  servers.dropped = []
})

describe('H11: a client that the server refuses', () => {
  test.each([
    ['invalid_client', 401],
    ['unauthorized_client', 400],
    [undefined, 401],
  ])('is registered again, once, after %s with status %i', async (error, status) => {
    const origin = newOrigin()
    const first = await resolveClientId(DYNAMIC, KNOWN, origin, undefined)
    const { tried, outcome } = await tryAs(DYNAMIC, origin, first, ({ clientId }) =>
      clientId === first ? refusal(error, status) : undefined,
    )
    expect(outcome).toBe('done')
    expect(tried).toHaveLength(2)
    expect(tried[1]).not.toBe(first)
    expect(servers.dropped).toEqual([KNOWN.jwks_uri])
    // What names the old client gets the new one, and the page may still name the old one.
    expect((await tryAs(DYNAMIC, origin, first, () => undefined)).tried).toEqual([tried[1]])
    expect((await findBoundApplication(DYNAMIC, origin, first))?.clientId).toBe(tried[1])
  })

  test('is tried once more and not again', async () => {
    const origin = newOrigin()
    const first = await resolveClientId(DYNAMIC, KNOWN, origin, undefined)
    const { tried, outcome } = await tryAs(DYNAMIC, origin, first, () => refusal('invalid_client'))
    expect(outcome).toBe('invalid_client')
    expect(tried).toHaveLength(2)
  })

  test('leaves a few clients at a server that refuses each of them', async () => {
    const origin = newOrigin()
    const before = servers.registered
    let clientId = await resolveClientId(DYNAMIC, KNOWN, origin, undefined)
    for (let call = 0; call < 20; call++) {
      const { tried } = await tryAs(DYNAMIC, origin, clientId, () => refusal('invalid_client'))
      clientId = tried.at(-1) ?? clientId
    }
    expect(servers.registered - before).toBe(4)
  })

  test.each(['invalid_request', 'invalid_scope', 'invalid_grant', 'access_denied'])(
    'is kept after %s',
    async (error) => {
      const origin = newOrigin()
      const first = await resolveClientId(DYNAMIC, KNOWN, origin, undefined)
      expect((await tryAs(DYNAMIC, origin, first, () => refusal(error))).tried).toEqual([first])
      expect((await findBoundApplication(DYNAMIC, origin, undefined))?.clientId).toBe(first)
    },
  )

  test('is kept if the profile names it: there is nothing else to try', async () => {
    const { tried } = await tryAs(OPERATOR, ORIGIN, 'client', () => refusal('invalid_client', 401))
    expect(tried).toEqual(['client'])
  })
})

describe('H11: an endpoint that is gone', () => {
  const MOVED = { ...KNOWN, token_endpoint: 'https://operator.example/moved' }

  test.each([404, 405, 410])('is looked up in new metadata after status %i', async (status) => {
    servers.metadata = MOVED
    const { tried, outcome } = await tryAs(OPERATOR, ORIGIN, 'client', ({ metadata }) =>
      metadata === KNOWN ? refusal(undefined, status, 'invalid_response') : undefined,
    )
    expect([tried, outcome]).toEqual([['client', 'client'], 'done'])
  })

  test('is not asked again if the metadata are the same', async () => {
    const gone = () => refusal(undefined, 404, 'invalid_response')
    expect((await tryAs(OPERATOR, ORIGIN, 'client', gone)).tried).toEqual(['client'])
  })
})
