/** `token` mode: the page calls the API itself, and does not show the token. */

import { describe, expect, test } from 'vitest'
import {
  createCreatedAnswer,
  createGrant,
  createStage,
  SESSIONS_URL,
  type Stage,
  TOKEN,
} from './broker-double.ts'

interface Sent {
  url: string
  headers: Record<string, string>
  credentials: string | undefined
}

async function connectInTokenMode(
  tokenType: 'Bearer' | 'DPoP' = 'Bearer',
  answer = async () => createCreatedAnswer(),
): Promise<Stage & { sent: Sent[] }> {
  const sent: Sent[] = []
  const pageFetch: typeof fetch = async (url, init) => {
    const headers = Object.fromEntries(new Headers(init?.headers))
    sent.push({ url: String(url), headers, credentials: init?.credentials })
    return answer()
  }
  const stage = await createStage(
    {
      connect: async ({ mode = 'fetch' }) => createGrant({ mode, tokenType }),
      getAccessToken: async () => ({
        accessToken: TOKEN,
        tokenType,
        expiresAt: 1,
        scope: 'x',
        resource: 'x',
        grantId: 'g1',
      }),
    },
    pageFetch,
  )
  stage.store.mode.value = 'token'
  await stage.store.connect()
  return { ...stage, sent }
}

describe('token mode', () => {
  test('RFC 6750 section 2.1: the token is sent in the Authorization header, without cookies', async () => {
    const { store, sent, calls } = await connectInTokenMode()
    await store.boost()
    expect(sent).toHaveLength(1)
    expect(sent[0]?.url).toBe(SESSIONS_URL)
    expect(sent[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`)
    expect(sent[0]?.credentials).toBe('omit')
    expect(calls.map(({ method }) => method)).not.toContain('fetch')
    expect(store.boosted.value).toBe(true)
  })

  test('RFC 9449 section 7.1: a DPoP token is sent with a proof for this request', async () => {
    const { store, sent, calls } = await connectInTokenMode('DPoP')
    await store.boost()
    expect(sent[0]?.headers).toMatchObject({
      authorization: `DPoP ${TOKEN}`,
      dpop: expect.stringMatching(/^eyJ/),
    })
    const proof = calls.find(({ method }) => method === 'createProof')
    expect(proof?.params).toMatchObject({ grantId: 'g1', htm: 'POST', htu: SESSIONS_URL })
  })

  test('RFC 9449 section 9: a nonce that the API requires is used once', async () => {
    const createNonceChallenge = () =>
      new Response('', { status: 401, headers: { 'DPoP-Nonce': 'n1' } })
    const answers = [createNonceChallenge(), createCreatedAnswer()]
    const { store, sent, calls } = await connectInTokenMode(
      'DPoP',
      async () => answers.shift() ?? createNonceChallenge(),
    )
    await store.boost()
    const proofs = calls.filter(({ method }) => method === 'createProof')
    expect(proofs.map(({ params }) => Reflect.get(params as object, 'nonce'))).toEqual([
      undefined,
      'n1',
    ])
    expect(store.answer.value?.status).toBe(201)
    await store.boost()
    expect(sent).toHaveLength(4)
    expect(store.answer.value?.status).toBe(401)
  })

  test.each(['Bearer', 'DPoP'] as const)(
    'the state of the page has no %s token',
    async (tokenType) => {
      const { store } = await connectInTokenMode(tokenType)
      await store.boost()
      const shownState = JSON.stringify([store.trace.entries.value, store.answer.value])
      expect(shownState).toContain('northbound_getAccessToken')
      expect(shownState).not.toContain(TOKEN)
      expect(shownState).not.toContain('eyJ')
    },
  )

  test('an unreachable API is reported as unreachable', async () => {
    const { store } = await connectInTokenMode('Bearer', () =>
      Promise.reject(new TypeError('failed')),
    )
    await store.boost()
    expect(store.failed.value?.failure).toMatchObject({
      code: 4901,
      data: { error: 'network_error' },
    })
  })

  test('a grant of fetch mode is not used in token mode', async () => {
    const { store } = await createStage({ getGrants: async () => [createGrant()] })
    expect(store.grant.value).toBeDefined()
    store.mode.value = 'token'
    expect(store.grant.value).toBeUndefined()
  })
})
