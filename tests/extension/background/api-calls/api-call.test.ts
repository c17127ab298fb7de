/**
 * Calls of an API: the requests that are sent, and the result or error that a response becomes. The API is a
 * double of `fetch`.
 */

import { describe, expect, test } from 'vitest'
import {
  type ApiToken,
  callApi,
  InsufficientAuthorization,
  type TokenSource,
} from '../../../../extension/background/api-calls/api-call.ts'
import { MAX_BODY_BYTES } from '../../../../extension/background/api-calls/body-limit.ts'
import {
  requestHeaders,
  responseHeaders,
} from '../../../../extension/background/api-calls/call-headers.ts'
import { CALL_RULES } from '../../../../extension/background/api-calls/call-rules.ts'
import { PART_BYTES } from '../../../../extension/background/api-calls/response-body.ts'
import { toErrorObject } from '../../../../extension/background/platform/broker-error.ts'
import { createDpopKey } from '../../../../shared/core/index.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'

const URL_CALLED = 'https://api.example/v1/sessions?size=2'
const NOW = Date.UTC(2026, 0, 1)

interface Sent {
  url: string
  init: RequestInit
  headers: Headers
}

/** An API that gives these answers in their order, and repeats the last one. */
function apiThatAnswers(...answers: (() => Response)[]) {
  const sent: Sent[] = []
  const effects = {
    now: () => NOW,
    fetch: async (input: RequestInfo | URL, init: RequestInit = {}) => {
      sent.push({ url: String(input), init, headers: new Headers(init.headers) })
      const answer = answers[Math.min(sent.length, answers.length) - 1]
      if (!answer) throw new TypeError('closed')
      return answer()
    },
  }
  return { sent, effects }
}

async function tokens(type: ApiToken['tokenType'] = 'Bearer', singleUse = false) {
  const key = await createDpopKey()
  /** Tokens for which another was requested. */
  const replaced: string[] = []
  const token = (accessToken: string): ApiToken => ({ accessToken, tokenType: type, singleUse })
  const source: TokenSource = {
    currentToken: async () => token('first'),
    async replaceToken({ accessToken }) {
      replaced.push(accessToken)
      return token('second')
    },
    dpopKey: async () => key,
  }
  return { source, replaced }
}

const call = (more: Partial<Parameters<typeof callApi>[0]> = {}) => ({
  origin: 'https://app.example',
  url: URL_CALLED,
  method: 'GET',
  headers: new Headers(),
  rules: CALL_RULES.oauth,
  ...more,
})

const answers =
  (status: number, headers: Record<string, string> = {}, body = '') =>
  () =>
    new Response(body, { status, headers })

const challenge = (value: string, status = 401) => answers(status, { 'www-authenticate': value })

async function failure(promise: Promise<unknown>) {
  const error = await promise.then(
    () => expect.unreachable('it succeeded'),
    (reason: unknown) => reason,
  )
  return toErrorObject(error)
}

describe('a call', () => {
  test('RFC 6750 section 2.1, T17: sends the token in the header; no cookies, no redirects, no cache', async () => {
    const { sent, effects } = apiThatAnswers(answers(200, {}, 'ok'))
    const answer = await callApi(call(), (await tokens()).source, effects)
    expect(new TextDecoder().decode(answer.body)).toBe('ok')
    expect(sent).toHaveLength(1)
    expect(sent[0]?.url).toBe(URL_CALLED)
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer first')
    expect(sent[0]?.init).toMatchObject({
      credentials: 'omit',
      redirect: 'manual',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    })
  })

  test.each([400, 404, 409, 422, 500, 503])('a %i is a result', async (status) => {
    const { effects } = apiThatAnswers(answers(status, {}, '{"title":"no"}'))
    const answer = await callApi(call(), (await tokens()).source, effects)
    expect(answer.status).toBe(status)
    expect(new TextDecoder().decode(answer.body)).toBe('{"title":"no"}')
  })

  test('B18: a redirect is not followed', async () => {
    const { sent, effects } = apiThatAnswers(answers(307, { location: 'https://evil.example/' }))
    const error = await failure(callApi(call(), (await tokens()).source, effects))
    expect(error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(sent).toHaveLength(1)
  })
})

test('an abort by the caller ends the request', async () => {
  const controller = new AbortController()
  let ended = false
  const effects = {
    now: () => NOW,
    signal: controller.signal,
    fetch: (_input: RequestInfo | URL, { signal }: RequestInit = {}) =>
      new Promise<Response>((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          ended = true
          reject(signal.reason)
        })
        controller.abort()
      }),
  }
  const error = await failure(callApi(call(), (await tokens()).source, effects))
  expect(error).toMatchObject({ code: ERROR_CODE.unreachable })
  expect(ended).toBe(true)
})

describe('RFC 6750 section 3.1, a 401', () => {
  test('C04: causes one renewal and one retry', async () => {
    const { sent, effects } = apiThatAnswers(
      challenge('Bearer error="invalid_token"'),
      answers(200, {}, 'ok'),
    )
    const { source, replaced } = await tokens()
    const answer = await callApi(call({ method: 'POST', body: 'x' }), source, effects)
    expect(answer.status).toBe(200)
    expect(replaced).toEqual(['first'])
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer first',
      'Bearer second',
    ])
    expect(sent[1]?.init.body).toBe('x')
  })

  test('C05: is the result when the retry gets a 401 too; there are at most two calls', async () => {
    const { sent, effects } = apiThatAnswers(answers(401, {}, 'no'))
    const answer = await callApi(call(), (await tokens()).source, effects)
    expect(answer.status).toBe(401)
    expect(sent).toHaveLength(2)
  })

  test('for a token of single use is the result, without a retry', async () => {
    const { sent, effects } = apiThatAnswers(challenge('Bearer error="invalid_token"'))
    const { source, replaced } = await tokens('Bearer', true)
    expect((await callApi(call(), source, effects)).status).toBe(401)
    expect(sent).toHaveLength(1)
    expect(replaced).toEqual([])
  })

  test('ends with the error of the renewal where that fails', async () => {
    const { sent, effects } = apiThatAnswers(answers(401))
    const { source } = await tokens()
    source.replaceToken = async () => {
      throw new Error('renewal')
    }
    await expect(callApi(call(), source, effects)).rejects.toThrow('renewal')
    expect(sent).toHaveLength(1)
  })
})

describe('an API that requires more', () => {
  test('RFC 9470 section 3: the error has the parameters of the required authentication', async () => {
    const { sent, effects } = apiThatAnswers(
      challenge('Bearer error="insufficient_user_authentication", acr_values="gold", max_age="60"'),
    )
    const error = await callApi(call(), (await tokens()).source, effects).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(InsufficientAuthorization)
    expect(error).toMatchObject({ demand: { acrValues: 'gold', maxAgeSeconds: 60 } })
    expect(toErrorObject(error)).toMatchObject({
      code: ERROR_CODE.insufficientAuthorization,
      data: { error: 'insufficient_user_authentication', httpStatus: 401 },
    })
    expect(sent).toHaveLength(1)
  })

  test('C06: insufficient scope is an error, and the call is not retried', async () => {
    const { sent, effects } = apiThatAnswers(
      challenge('Bearer error="insufficient_scope", scope="a b"', 403),
    )
    const error = await failure(callApi(call(), (await tokens()).source, effects))
    expect(error).toMatchObject({
      code: 4220,
      data: { error: 'insufficient_scope', httpStatus: 403 },
    })
    expect(sent).toHaveLength(1)
  })

  test('a 403 without an OAuth challenge is a result', async () => {
    const { effects } = apiThatAnswers(answers(403))
    expect((await callApi(call(), (await tokens()).source, effects)).status).toBe(403)
  })

  test.each([
    ['120', 120],
    [new Date(NOW + 30_000).toUTCString(), 30],
    ['nonsense', undefined],
  ])('429 with Retry-After %s is an error with the delay in seconds', async (value, seconds) => {
    const { sent, effects } = apiThatAnswers(answers(429, { 'retry-after': value }))
    const { code, data } = await failure(callApi(call(), (await tokens()).source, effects))
    expect(code).toBe(ERROR_CODE.rateLimited)
    expect(data).toMatchObject({ error: 'rate_limited', httpStatus: 429 })
    expect(data.retryAfterSeconds).toBe(seconds)
    expect(sent).toHaveLength(1)
  })
})

describe('RFC 9449, a token of type DPoP', () => {
  const nonce = (value: string) =>
    answers(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': value })

  test('is sent with a proof; a nonce that the API requires is in the second proof', async () => {
    const { sent, effects } = apiThatAnswers(nonce('n-1'), answers(200))
    const { source, replaced } = await tokens('DPoP')
    expect((await callApi(call(), source, effects)).status).toBe(200)
    expect(replaced).toEqual([])
    const proofs = sent.map(({ headers }) => {
      const [, payload = ''] = (headers.get('dpop') ?? '').split('.')
      return JSON.parse(Buffer.from(payload, 'base64url').toString())
    })
    expect(proofs[1]).toMatchObject({
      nonce: 'n-1',
      htm: 'GET',
      htu: 'https://api.example/v1/sessions',
    })
    expect(proofs[0].jti).not.toBe(proofs[1].jti)
  })

  test('D07: an API that always requires another nonce gets two calls', async () => {
    let count = 0
    const { sent, effects } = apiThatAnswers(() => nonce(`n-${count++}`)())
    const error = await failure(callApi(call(), (await tokens('DPoP')).source, effects))
    expect(error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(sent).toHaveLength(2)
  })

  test('D19: is never sent as a bearer token, also after a Bearer challenge', async () => {
    const { sent, effects } = apiThatAnswers(challenge('Bearer error="invalid_token"'))
    await callApi(call(), (await tokens('DPoP')).source, effects)
    for (const { headers } of sent) expect(headers.get('authorization')).toMatch(/^DPoP /)
  })
})

describe('CAMARA design guidelines', () => {
  const rules = CALL_RULES.camara
  const camaraError = (status: number, code: string) =>
    answers(status, {}, JSON.stringify({ status, code }))

  test('a body that identifies the device beside a three-legged token is an error', () => {
    const check = (body: string, scope: string) => () => rules.checkBody(body, scope)
    expect(check('{"device":{"phoneNumber":"+1"}}', 'location-verification:verify')).toThrow(
      /"device" must be absent/,
    )
    expect(check('{"phoneNumber":"+1"}', 'number-verification:verify')).not.toThrow()
    expect(check('{"duration":60}', 'quality-on-demand:sessions:create')).not.toThrow()
    expect(() => CALL_RULES.oauth.checkBody('{"device":{}}', 'x')).not.toThrow()
  })

  test.each([
    [403, 'PERMISSION_DENIED', 4220, 'insufficient_scope'],
    [
      403,
      'NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK',
      4230,
      'not_on_mobile_network',
    ],
    [429, 'TOO_MANY_REQUESTS', 4290, 'rate_limited'],
  ])('%i %s becomes error %i', async (status, code, expected, word) => {
    const { effects } = apiThatAnswers(camaraError(status, code))
    const error = await failure(callApi(call({ rules }), (await tokens()).source, effects))
    expect(error).toMatchObject({ code: expected, data: { error: word, httpStatus: status } })
  })

  test('an error that the page contract does not name is a result', async () => {
    const { effects } = apiThatAnswers(camaraError(422, 'SERVICE_NOT_APPLICABLE'))
    expect((await callApi(call({ rules }), (await tokens()).source, effects)).status).toBe(422)
  })
})

describe('the limit of 5 MiB', () => {
  /** A body that sends pieces as long as it is read. */
  function endless(piece: number) {
    let read = 0
    let cancelled = false
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          read += piece
          controller.enqueue(new Uint8Array(piece))
        },
        cancel() {
          cancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    return { body, read: () => read, cancelled: () => cancelled }
  }

  test('T04: an endless body is cancelled at the limit', async () => {
    const { body, read, cancelled } = endless(64 * 1024)
    const { effects } = apiThatAnswers(() => new Response(body))
    const error = await failure(callApi(call(), (await tokens()).source, effects))
    expect(error).toMatchObject({ code: ERROR_CODE.untrustedResponse })
    expect(cancelled()).toBe(true)
    expect(read()).toBeLessThanOrEqual(MAX_BODY_BYTES + 64 * 1024)
  })

  test('a body of exactly the limit passes', async () => {
    const { effects } = apiThatAnswers(() => new Response(new Uint8Array(MAX_BODY_BYTES)))
    const { body } = await callApi(call(), (await tokens()).source, effects)
    expect(body.byteLength).toBe(MAX_BODY_BYTES)
  })

  test('a large body is delivered in parts, and the result has the last part', async () => {
    const sent = new Uint8Array(1_200 * 1024).map((_, index) => index % 251)
    const parts: ArrayBuffer[] = []
    const deliver = (part: ArrayBuffer) => void parts.push(part)
    for (const headers of [{}, { 'content-length': String(sent.byteLength) }]) {
      parts.length = 0
      const { effects } = apiThatAnswers(() => new Response(sent, { headers }))
      const { body } = await callApi(call({ deliver }), (await tokens()).source, effects)
      expect(parts.map((part) => part.byteLength)).toEqual([PART_BYTES, PART_BYTES])
      const received = Buffer.concat([...parts, body].map((part) => Buffer.from(part)))
      expect(received.equals(sent)).toBe(true)
    }
  })

  test('no part is delivered of a response that may lead to a retry', async () => {
    const parts: ArrayBuffer[] = []
    const deliver = (part: ArrayBuffer) => void parts.push(part)
    const text = 'x'.repeat(600 * 1024)
    for (const answer of [
      answers(404, {}, text),
      answers(200, { 'www-authenticate': 'Bearer' }, text),
    ]) {
      const { effects } = apiThatAnswers(answer)
      await callApi(call({ deliver }), (await tokens()).source, effects)
      expect(parts).toEqual([])
    }
  })

  test('a body whose Content-Length exceeds the limit is not read', async () => {
    const { body, read } = endless(1024)
    const headers = { 'content-length': String(MAX_BODY_BYTES + 1) }
    const { effects } = apiThatAnswers(() => new Response(body, { headers }))
    await failure(callApi(call(), (await tokens()).source, effects))
    expect(read()).toBe(0)
  })

  test('N03: an incomplete body is a network error', async () => {
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new TypeError('reset')),
    })
    const { effects } = apiThatAnswers(() => new Response(broken))
    const error = await failure(callApi(call(), (await tokens()).source, effects))
    expect(error).toMatchObject({ code: 4901, data: { error: 'network_error' } })
  })
})

describe('B17, B20: header fields', () => {
  test.each(['Authorization', 'Cookie', 'DPoP', 'Host', 'Origin', 'X-Forwarded-For', 'Range'])(
    'a page may not send %s',
    (name) => {
      expect(() => requestHeaders({ [name]: 'x' })).toThrow(/headers: expected only/)
    },
  )

  test('a page may send the header fields of the allow list', () => {
    const headers = requestHeaders({ 'Content-Type': 'application/json', 'X-Correlator': '7' })
    expect([...headers.keys()]).toEqual(['content-type', 'x-correlator'])
  })

  test('a page sees the header fields of the allow list, and no credential', () => {
    const visible = responseHeaders(
      new Headers({
        'content-type': 'application/json',
        location: '/v1/sessions/7',
        'set-cookie': 'a=b',
        authorization: 'Bearer first',
        'dpop-nonce': 'n',
        'www-authenticate': 'Bearer',
        'x-powered-by': 'x',
      }),
    )
    expect(visible.map(([name]) => name)).toEqual(['content-type', 'location'])
  })
})
