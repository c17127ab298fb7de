/**
 * Serves the sign-in page and the consent page of Hydra, which has none of its own, on http://localhost:8185.
 *
 * @see https://www.ory.sh/docs/hydra/concepts/login and /consent
 */

import { createServer, type IncomingMessage } from 'node:http'

const ADMIN = 'http://127.0.0.1:4445/admin/oauth2/auth/requests'

interface ConsentRequest {
  skip?: boolean
  requested_scope?: string[]
}

/** Hydra does not know `resource` (RFC 8707): the scope tells which API a token is for. */
const AUDIENCES: Readonly<Record<string, string>> = {
  qod: 'http://127.0.0.1:5181/qod/v1',
  location: 'http://127.0.0.1:5181/location/v1',
}

const listAudiences = (scopes: string[] = []) =>
  scopes.map((scope) => AUDIENCES[scope]).filter((audience) => audience !== undefined)

async function ask<T>(path: string, body?: object): Promise<T> {
  const answer = await fetch(`${ADMIN}/${path}`, {
    ...(body && { method: 'PUT', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  })
  return (await answer.json()) as T
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const part of request) body += part
  return new URLSearchParams(body)
}

async function signIn(challenge: string, form: URLSearchParams): Promise<string | undefined> {
  const query = `login_challenge=${challenge}`
  const { skip, subject } = await ask<{ skip?: boolean; subject?: string }>(`login?${query}`)
  const isAlice = form.get('username') === 'alice' && form.get('password') === 'correct horse'
  if (!skip && !isAlice) return undefined
  const accepted = { subject: skip ? subject : 'alice', remember: true, remember_for: 3_600 }
  return (await ask<{ redirect_to: string }>(`login/accept?${query}`, accepted)).redirect_to
}

async function consent(challenge: string, form: URLSearchParams): Promise<string | undefined> {
  const query = `consent_challenge=${challenge}`
  const request = await ask<ConsentRequest>(`consent?${query}`)
  if (!request.skip && !form.has('allow')) return undefined
  const accepted = {
    grant_scope: request.requested_scope,
    grant_access_token_audience: listAudiences(request.requested_scope),
    remember: true,
    remember_for: 3_600,
  }
  return (await ask<{ redirect_to: string }>(`consent/accept?${query}`, accepted)).redirect_to
}

const SIGN_IN_FORM =
  '<input name="username"><input name="password" type="password"><input type="submit">'

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost:8185')
  const form = request.method === 'POST' ? await readForm(request) : new URLSearchParams()
  const isSignIn = pathname === '/login'
  const location = isSignIn
    ? await signIn(searchParams.get('login_challenge') ?? '', form)
    : await consent(searchParams.get('consent_challenge') ?? '', form)
  if (location !== undefined) {
    response.writeHead(303, { location }).end()
    return
  }
  const fields = isSignIn ? SIGN_IN_FORM : '<button name="allow">Allow</button>'
  response.setHeader('content-type', 'text/html')
  response.end(`<!doctype html><title>Hydra</title><form method="post">${fields}</form>`)
}).listen(8185, '127.0.0.1')
