/** Command `npm start`: its flags, and the sequence chart that it prints from the request log. */

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type LogEntry, RequestLog } from '../../demo-site/network/request-log.ts'
import { Cleanup } from '../../scripts/start/cleanup.ts'
import { readExchanges } from '../../scripts/start/exchanges.ts'
import { FlagError, parseFlags } from '../../scripts/start/options.ts'
import { drawArrow, formatSequence } from '../../scripts/start/sequence-chart.ts'

describe('the flags', () => {
  test('default values, and values of all flags', () => {
    const none = { port: undefined, headless: false, keep: false, help: false }
    expect(parseFlags([])).toEqual(none)
    expect(parseFlags(['--headless', '--keep', '--port', '4400'])).toEqual({
      ...none,
      headless: true,
      keep: true,
      port: 4400,
    })
  })

  test.each([
    [['--bogus'], '--bogus'],
    [['--port'], '--port'],
    [['--port', '0'], '--port'],
    [['--port', '65533'], '--port'],
    [['--port', '44a'], '--port'],
    [['--port=-1'], '--port'],
    [['--headless=yes'], '--headless'],
    [['page'], 'page'],
  ])('%j is rejected in one line that names the flag', (args, named) => {
    expect(() => parseFlags(args)).toThrow(FlagError)
    expect(() => parseFlags(args)).toThrow(named)
    expect(() => parseFlags(args)).not.toThrow('\n')
  })
})

const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const CODE = 'SplxlOBeZQQYbYS6WxSbIA'
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'
const FLOW = 'cpr3DnUqfJJodHvv643WLGtpXnJfis4JhOdSl1pWHJ6'

type Change = (entries: Record<string, Partial<LogEntry>>) => void

/** Creates a log of a complete flow, with the example of RFC 7636 appendix B. */
function createLog(change: Change = () => {}): RequestLog {
  const redirect = `https://a.chromiumapp.org/x?code=${CODE}&state=s1&iss=i`
  const entries: Record<string, Partial<LogEntry>> = {
    request: {
      path: '/auth',
      query: {
        response_type: 'code',
        client_id: 'skyframe',
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
        state: 's1',
        scope: 'qos',
      },
      status: 303,
    },
    password: {
      method: 'POST',
      path: `/interaction/${FLOW}/password`,
      body: { phone_number: '1' },
    },
    consent: { method: 'POST', path: `/interaction/${FLOW}/consent`, body: { decision: 'allow' } },
    response: { path: `/auth/${FLOW}`, status: 303, answerHeaders: { location: redirect } },
    token: {
      method: 'POST',
      path: '/token',
      status: 200,
      body: { grant_type: 'authorization_code', code: CODE, code_verifier: VERIFIER },
    },
    call: {
      method: 'POST',
      path: '/3gpp-as-session-with-qos/v1/skyframe/subscriptions',
      status: 201,
      headers: { authorization: `Bearer ${TOKEN}` },
      answerHeaders: { location: 'http://a/1' },
    },
  }
  change(entries)
  const log = new RequestLog()
  const common = {
    server: 's',
    timeMs: 0,
    from: '',
    method: 'GET',
    path: '/',
    query: {},
    headers: {},
  }
  for (const entry of Object.values(entries)) log.add({ ...common, ...entry })
  return log
}

const readLog = (change?: Change) => readExchanges(createLog(change), 'skyframe', 'skyframe')

describe('the sequence chart', () => {
  test('RFC 7636 appendix B: the example has a matching challenge and verifier', () => {
    expect(createHash('sha256').update(VERIFIER).digest('base64url')).toBe(CHALLENGE)
  })

  test('RFC 7636 section 1.1: (A) to (D) are printed in this order, then the answer of the API', () => {
    const text = formatSequence(readLog()).join('\n')
    expect(text).toMatch(/\(A\).*\(B\).*\(C\).*\(D\).*201, Location: http:\/\/a\/1/s)
  })

  test('no code, verifier, challenge, token or flow identifier is printed', () => {
    const text = formatSequence(readLog()).join('\n')
    for (const secret of [CODE, VERIFIER, CHALLENGE, TOKEN, FLOW])
      expect(text).not.toContain(secret)
  })

  test('RFC 9126: pushed parameters are those of the authorization request', () => {
    const pushed: Change = (entries) => {
      entries.pushed = {
        method: 'POST',
        path: '/request',
        status: 201,
        body: entries.request?.query,
      }
      entries.request = { path: '/auth', query: { client_id: 'skyframe', request_uri: 'urn:x' } }
    }
    expect(formatSequence(readLog(pushed)).join('\n')).toContain('RFC 9126')
    expect(() =>
      readLog((entries) => {
        pushed(entries)
        delete entries.pushed
      }),
    ).toThrow('log shows 0 of: pushed authorization request')
  })

  test.each(['request', 'password', 'consent', 'response', 'token', 'call'])(
    'a log without the entry of the %s is rejected',
    (name) => {
      expect(() => readLog((entries) => delete entries[name])).toThrow('log shows 0 of')
    },
  )

  const broken: [string, Change][] = [
    ['another verifier', ({ token }) => Object.assign(token?.body ?? {}, { code_verifier: 'x' })],
    ['another code', ({ token }) => Object.assign(token?.body ?? {}, { code: 'x' })],
    ['another state', ({ request }) => Object.assign(request?.query ?? {}, { state: 'x' })],
    [
      'the plain method',
      ({ request }) => Object.assign(request?.query ?? {}, { code_challenge_method: 'plain' }),
    ],
    ['a call without a token', ({ call }) => Object.assign(call ?? {}, { headers: {} })],
  ]
  test.each(broken)('a log with %s is rejected as inconsistent', (_name, change) => {
    expect(() => readLog(change)).toThrow('log contradicts')
  })

  test('RFC 9449 section 8: requests that were rejected for a missing nonce are not steps', () => {
    const change: Change = (entries) => {
      entries.pushed = {
        method: 'POST',
        path: '/request',
        status: 201,
        body: entries.request?.query,
      }
      entries.noNoncePushed = { ...entries.pushed, status: 400 }
      entries.request = { path: '/auth', query: { client_id: 'skyframe', request_uri: 'urn:x' } }
      entries.noNonce = { ...entries.token, status: 400 }
      entries.noNonceYet = { ...entries.call, status: 401 }
    }
    expect(formatSequence(readLog(change)).join('\n')).toContain('POST /token → 200')
    expect(() => readLog(({ token }) => Object.assign(token ?? {}, { status: 400 }))).toThrow(
      'token request that was granted',
    )
  })

  test('an arrow starts and ends at the lifelines', () => {
    const [right, left] = [drawArrow(1, 2), drawArrow(2, 1)]
    expect(right).toMatch(/│ +│─+►│ +│$/)
    expect(left).toMatch(/│ +│◄─+│ +│$/)
    expect(right).toHaveLength(left.length)
  })
})

describe('cleanup', () => {
  test('steps run once, in reverse order, also when a step fails', async () => {
    const stopped: string[] = []
    const cleanup = new Cleanup()
    cleanup.addStep(async () => stopped.push('first'))
    cleanup.addStep(() => Promise.reject(new Error('stuck')))
    cleanup.addStep(async () => stopped.push('last'))
    await Promise.all([cleanup.runAll(), cleanup.runAll()])
    expect(stopped).toEqual(['last', 'first'])
  })
})
