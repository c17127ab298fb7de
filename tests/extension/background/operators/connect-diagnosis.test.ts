/**
 * Tests the diagnosis of a page that may not connect: the user's log has the cause, the page gets the same error for
 * each cause, and nothing of it is a text of the page. The calls go through the router.
 *
 * Seen to fail before there was a diagnosis (the log had "northbound_connect: no_grant" for each of them), when the
 * outcome carries the diagnosis to the page, when a text repeats the issuer or the client identifier of the call, and
 * when a rejected profile is `no_grant` to its own application.
 */

import 'fake-indexeddb/auto'
import fake, { reportPolicyChange, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => ({ default: fake }))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { explainUnknownApplication } from '../../../../extension/background/operators/connect-diagnosis.ts'
import { mergeOperatorProfiles } from '../../../../extension/background/operators/merge-operator-profiles.ts'
import { handlePageRequest } from '../../../../extension/background/page/page-router.ts'
import { describeCause } from '../../../../extension/background/platform/error-cause.ts'
import { log } from '../../../../extension/background/platform/log.ts'
import { NorthkeyError, toProviderError } from '../../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'

const ISSUER = 'https://login.meridian.example/realm'
const KNOWN = 'http://localhost:8080'
const HERE = 'http://127.0.0.1:8080'
const RESOURCE = 'https://api.meridian.example/qos'
const PROFILE: OperatorProfile = {
  issuer: ISSUER,
  name: 'Meridian Mobile',
  profile: 'oauth',
  apis: [{ resource: RESOURCE, name: 'Quality', scopes: [{ scope: 'qos' }] }],
  applications: [{ clientId: 'skyframe', name: 'Skyframe', origins: [KNOWN] }],
}
const REJECTED = { ...PROFILE, issuer: 'https://b.example', name: 'Boreal', onbording: 'dynamic' }
const SECRET = 'a-text-of-the-page'

interface Case {
  title: string
  operators?: unknown[]
  origin?: string
  issuer?: string
  clientId?: string
  cause: string
}

const CASES: Case[] = [
  {
    title: 'an origin that no application has',
    cause: `no application of Meridian Mobile has the origin ${HERE}; there are ${KNOWN}`,
  },
  {
    title: 'a slash at the end of the issuer',
    issuer: `${ISSUER}/`,
    cause: `the issuer of Meridian Mobile is spelled ${ISSUER}; the call has another spelling`,
  },
  {
    title: 'an unknown issuer',
    issuer: `https://${SECRET}.example`,
    cause: `no operator has the issuer of the call; known are ${ISSUER}`,
  },
  {
    title: 'a client identifier that is not listed',
    origin: KNOWN,
    clientId: SECRET,
    cause:
      'no application of Meridian Mobile at this origin has the clientId of the call; skyframe has the origin',
  },
  {
    title: 'a client identifier, at an operator that registers clients',
    operators: [{ ...PROFILE, onboarding: 'dynamic' }],
    clientId: SECRET,
    cause:
      'Meridian Mobile registers a client for this origin, and it is not the clientId of the call',
  },
  {
    title: 'a rejected profile',
    operators: [REJECTED],
    issuer: REJECTED.issuer,
    cause: 'the profile of Boreal is rejected: onbording: unknown member',
  },
  {
    title: 'no operator at all',
    operators: [],
    cause: 'no operator is known; add one on the page of operators',
  },
  {
    title: 'no application',
    operators: [{ ...PROFILE, applications: [] }],
    cause: 'Meridian Mobile has no application',
  },
]

/** Documents, of which each gets its texts once in the console. */
let documents = 0
const executeScript = vi.fn(async (_: unknown) => {})
Object.assign(fake.scripting, { executeScript })

async function setPolicy(operators: unknown[]): Promise<void> {
  await storage.managed.set({ operators })
  reportPolicyChange()
}

const connect = (origin: string, params: object) => {
  const documentId = `document ${++documents}`
  return handlePageRequest(
    { origin, tabId: 7, documentId },
    `${documents}`,
    {
      id: 1,
      attempt: 0,
      method: 'northbound_connect',
      params: { issuer: ISSUER, apis: [{ resource: RESOURCE, scope: 'qos' }], ...params },
      userActivation: true,
      visible: true,
    },
    () => {},
  )
}

/** The log has an entry of each policy too. */
const readRefusals = async () => (await log.read()).filter(({ event }) => event === 'refusal')

beforeEach(async () => {
  executeScript.mockClear()
  await log.clear()
})

describe('F01: a page that may not connect', () => {
  test.each(CASES)('$title: the log has the cause', async (row) => {
    const { operators = [PROFILE], origin = HERE, cause, issuer, clientId } = row
    await setPolicy(operators)
    const params = { ...(issuer && { issuer }), ...(clientId && { clientId }) }
    const answer = await connect(origin, params)
    // The same error in each case, and no member beside those of the contract.
    expect(answer).toEqual({
      error: {
        code: 4100,
        message: 'this origin has no such grant',
        data: { error: 'no_grant', errorDescription: 'this origin has no such grant' },
      },
    })
    const [entry, ...more] = await readRefusals()
    expect(more).toEqual([])
    expect(entry).toMatchObject({
      event: 'refusal',
      outcome: 'northbound_connect: no_grant',
      origin,
      detail: cause,
    })
    expect(JSON.stringify(entry)).not.toContain(SECRET)
    expect(executeScript.mock.calls).toMatchObject([
      [
        {
          target: { tabId: 7 },
          args: [origin, `Northkey (development): northbound_connect: no_grant: ${cause}`],
        },
      ],
    ])
  })

  test('gets no text of its own into the log, whatever it names', async () => {
    await setPolicy([PROFILE])
    for (let i = 0; i < 100; i++) {
      await connect(HERE, { issuer: `https://${SECRET}-${i}.example`, clientId: `${SECRET}-${i}` })
    }
    const entries = await readRefusals()
    expect(entries).toMatchObject([{ times: 100 }])
    expect(JSON.stringify(entries)).not.toContain(SECRET)
  })

  test('has a bounded list of origins in the log', () => {
    const origins = Array.from({ length: 50 }, (_, i) => `https://app-${i}.example`)
    const applications = [{ clientId: 'x', name: 'X', origins }]
    const merged = mergeOperatorProfiles(
      { policy: [{ ...PROFILE, applications }], file: [], demo: [] },
      true,
    )
    const text = explainUnknownApplication(merged, {
      origin: HERE,
      issuer: ISSUER,
      clientId: undefined,
    })
    expect(text).toMatch(/; there are https:\/\/app-0.example, .* and 47 more$/)
  })
})

describe('F01: a page that asks for what the operator does not offer', () => {
  const offered = { resource: RESOURCE, scope: 'qos' }
  test.each([
    [
      'a resource',
      { resource: `https://${SECRET}.example`, scope: 'qos' },
      `Meridian Mobile has no API with the resource of the call; there are ${RESOURCE}`,
    ],
    [
      'a scope',
      { resource: RESOURCE, scope: SECRET },
      `Meridian Mobile offers ${RESOURCE} with the scopes qos`,
    ],
    ['no scope', { resource: RESOURCE }, `Meridian Mobile offers ${RESOURCE} with the scopes qos`],
  ])('%s: gets the index of the entry, and the log has the cause', async (_, api, detail) => {
    await setPolicy([PROFILE])
    const answer = await connect(KNOWN, { apis: [offered, api] })
    expect(answer).toMatchObject({
      error: { code: -32602, message: expect.stringMatching(/^apis\[1\]: expected a resource/) },
    })
    expect(JSON.stringify(answer)).not.toContain(detail)
    expect(await readRefusals()).toMatchObject([
      { outcome: 'northbound_connect: invalid_params', detail },
    ])
  })
})

describe('H25g: a rejected profile', () => {
  test('is not no_grant to its own application on a development build', async () => {
    await setPolicy([REJECTED])
    const answer = await connect(KNOWN, { issuer: REJECTED.issuer })
    expect(answer).toMatchObject({
      error: {
        code: -32602,
        message:
          'issuer: expected one whose profile is accepted; its profile is rejected: onbording: unknown member',
      },
    })
    expect(await readRefusals()).toMatchObject([
      { detail: 'the profile of Boreal is rejected: onbording: unknown member' },
    ])
  })

  test('is no_grant to every page on a released build', async () => {
    await setPolicy([REJECTED])
    Object.assign(globalThis, { __DEVELOPMENT__: false })
    try {
      const { explainNoApplication } = await import(
        '../../../../extension/background/operators/no-application.ts'
      )
      const wanted = { origin: KNOWN, issuer: REJECTED.issuer, clientId: undefined }
      expect(await explainNoApplication(wanted)).toMatchObject({ code: 4100 })
    } finally {
      Object.assign(globalThis, { __DEVELOPMENT__: true })
    }
  })
})

describe('H25e: the log of an error that a server caused', () => {
  test('has endpoint and status', () => {
    const error = new NorthkeyError(
      'authorization_server_error',
      'the pushed authorization request endpoint answered with status 400',
      { error: 'invalid_scope', httpStatus: 400, errorDescription: SECRET },
    )
    expect(describeCause(toProviderError(error))).toBe(
      'the pushed authorization request endpoint answered with status 400',
    )
  })

  test('has the status also where the message does not name it', () => {
    const error = new NorthkeyError('not_on_mobile_network', 'the API refused the call', {
      httpStatus: 403,
    })
    expect(describeCause(toProviderError(error))).toBe('the API refused the call (status 403)')
  })

  test('of an error that the page caused, there is none: its message may name what the page chose', () => {
    const error = new NorthkeyError('invalid_params', `${SECRET}: unknown member`)
    expect(describeCause(toProviderError(error))).toBeUndefined()
  })

  test('is kept with the failed call', async () => {
    const error = toProviderError(
      new NorthkeyError('invalid_response', 'the token endpoint answered with status 403', {
        httpStatus: 403,
      }),
    )
    const { logFailedCall } = await import(
      '../../../../extension/background/page/log-failed-call.ts'
    )
    logFailedCall({ origin: HERE, tabId: 1, documentId: 'd' }, 'northbound_connect', error)
    expect(await readRefusals()).toMatchObject([
      {
        outcome: 'northbound_connect: invalid_response',
        detail: 'the token endpoint answered with status 403',
      },
    ])
  })
})
