/**
 * Measures a code exchange over loopback: the core beside direct calls of oauth4webapi with the same response. Each
 * request of the core can be ended by a time limit and by its caller. In Node a request with a signal takes 8 % longer
 * than one without, whoever sends it. So the goal is beside oauth4webapi with a time limit.
 */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as oauth from 'oauth4webapi'
import type { Effects, ServerConfig, ServerMetadata } from '../../shared/core/index.ts'
import { core } from './built-core.ts'
import { compareContestants, type Measured } from './report.ts'

const REDIRECT_URI = 'https://broker.example/issuer'
const ANSWER = JSON.stringify({
  access_token: 'opaque-access-token',
  token_type: 'Bearer',
  expires_in: 600,
  refresh_token: 'opaque-refresh-token',
  scope: 'qos',
})

export async function measureExchange(): Promise<Measured> {
  const http = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': ANSWER.length,
        'cache-control': 'no-store',
      })
      response.end(ANSWER)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const server: ServerConfig = { issuer, profile: 'oauth' }
  const metadata: ServerMetadata = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
  const effects: Effects = { fetch, now: () => Date.now(), allowInsecureLoopback: true }
  const { flow } = await core.beginAuthorization(
    {
      server,
      metadata,
      clientId: 'app',
      redirectUri: REDIRECT_URI,
      apis: [{ resource: 'https://api.example/v1', scope: 'qos' }],
      deadlineMs: Date.now() + 3_600_000,
    },
    effects,
  )
  const url = `${REDIRECT_URI}?${new URLSearchParams({ code: 'c', state: flow.state, iss: issuer })}`
  const ready = core.receiveAuthorizationResponse(flow, url, Date.now())
  const client = { client_id: 'app' }
  const insecure = { [oauth.allowInsecureRequests]: true }

  const direct = async (limit: { signal?: AbortSignal } = {}) => {
    const parameters = oauth.validateAuthResponse(metadata, client, new URL(url), flow.state)
    const response = await oauth.authorizationCodeGrantRequest(
      metadata,
      client,
      oauth.None(),
      parameters,
      REDIRECT_URI,
      flow.codeVerifier,
      { ...insecure, ...limit, additionalParameters: { resource: 'https://api.example/v1' } },
    )
    return oauth.processAuthorizationCodeResponse(metadata, client, response)
  }

  const { time, ratio } = await compareContestants(
    {
      northkey: () => core.redeemCode(ready, effects),
      direct: () => direct(),
      limited: () => direct({ signal: AbortSignal.timeout(10_000) }),
    },
    { slices: 1_800, calls: 3 },
  )
  await new Promise((resolve) => {
    http.close(resolve)
    http.closeAllConnections()
  })
  const measured = ratio('northkey', 'limited')
  return {
    rows: [
      [
        'northkey/core redeemCode',
        time.northkey.toFixed(3),
        ratio('northkey', 'direct').toFixed(3),
      ],
      ['oauth4webapi called directly', time.direct.toFixed(3), '1.000'],
      [
        'oauth4webapi called directly, with a time limit',
        time.limited.toFixed(3),
        ratio('limited', 'direct').toFixed(3),
      ],
    ],
    goals: [
      {
        name: 'exchange: time ÷ oauth4webapi with a time limit',
        measured: measured.toFixed(3),
        limit: '≤ 1.05',
        met: measured <= 1.05,
      },
    ],
  }
}
