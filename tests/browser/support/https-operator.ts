/**
 * Serves a small operator with https behind the proxy of the test, for builds that send no request to loopback: an
 * authorization server that authorizes every request, and one API. Each server may be on a host of its own.
 */

import { createHash } from 'node:crypto'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { Outside } from './outside.ts'
import { SITE } from './sites-stage.ts'

export const ISSUER = 'https://login.operator.example'
export const API = 'https://api.operator.example'
const TOKEN = 'released-token'

export const OPERATOR: OperatorProfile = {
  issuer: ISSUER,
  name: 'An operator',
  profile: 'oauth',
  dpop: 'never',
  apis: [{ resource: `${API}/v1`, name: 'Quality on demand', scopes: [{ scope: 'qod' }] }],
  applications: [{ clientId: 'play', name: 'Play', origins: [SITE] }],
}

const json = (value: unknown, status = 200) => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(value),
})

/** Origins of the endpoints that the metadata name. Default: the issuer. */
export interface Endpoints {
  signIn?: string
  tokens?: string
}

/** Authorizes every request, and issues a token for a code with its matching verifier. Replaces an earlier call. */
export function serveOperator(
  { answers }: Pick<Outside, 'answers'>,
  { signIn = ISSUER, tokens = ISSUER }: Endpoints = {},
): void {
  let challenge = ''
  answers.set(`GET ${ISSUER}/.well-known/oauth-authorization-server`, () =>
    json({
      issuer: ISSUER,
      authorization_endpoint: `${signIn}/authorize`,
      token_endpoint: `${tokens}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
    }),
  )
  answers.set(`GET ${signIn}/authorize`, ({ url: { searchParams } }) => {
    challenge = searchParams.get('code_challenge') ?? ''
    const location = new URL(searchParams.get('redirect_uri') ?? '')
    const state = searchParams.get('state') ?? ''
    location.search = String(new URLSearchParams({ code: 'a-code', state, iss: ISSUER }))
    return { status: 302, headers: { location: location.href, 'cache-control': 'no-store' } }
  })
  answers.set(`POST ${tokens}/token`, ({ body }) => {
    const form = new URLSearchParams(body)
    const hash = createHash('sha256').update(form.get('code_verifier') ?? '')
    if (form.get('code') !== 'a-code' || hash.digest('base64url') !== challenge) {
      return json({ error: 'invalid_grant' }, 400)
    }
    return json({ access_token: TOKEN, token_type: 'Bearer', expires_in: 600 })
  })
  answers.set(`GET ${API}/v1/sessions`, ({ headers }) =>
    json([], headers.authorization === `Bearer ${TOKEN}` ? 200 : 401),
  )
}
