/**
 * Serves the CAPIF token endpoint, `POST /securities/{securityId}/token`, in front of the authorization server. The
 * code is accepted as `authCode` or `code` and forwarded with the names of RFC 6749, together with the code
 * verifier, which the specification does not mention. @see TS 29.222 clause 8.5.2.5, AccessTokenReq
 */

import type { RecordedRequest } from '../http/recorded-request.ts'
import type { Answer, Handler } from '../http/serve.ts'
import type { SubscriberDirectory } from '../subscribers.ts'
import { type Invokers, isSecretValid } from './invokers.ts'

const PATH = /^\/capif-security\/v1\/securities\/([^/]+)\/token$/
const GRANT_TYPES = ['client_credentials', 'authorization_code']

export interface TokenEndpointSettings {
  invokers: Invokers
  subscribers: SubscriberDirectory
  /** Whether the client is registered. */
  isClient(clientId: string): Promise<boolean>
  /** Finds the account that a code was issued for; `undefined` for an unknown code. */
  findOwner(code: string): Promise<string | undefined>
}

export function createTokenEndpoint(settings: TokenEndpointSettings, next: Handler): Handler {
  return async (request, answer) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const securityId = PATH.exec(path)?.[1]
    const isGeneralPath = path === '/token'
    if (request.method !== 'POST' || (securityId === undefined && !isGeneralPath)) {
      return next(request, answer)
    }
    if (!/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
      return sendProblem(answer, 415, 'the request body must be a form')
    }
    const form = new URLSearchParams((await request.readBody()).toString('utf8'))
    if (securityId !== undefined) {
      const sendClientError = await checkClient(
        decodeURIComponent(securityId),
        form,
        request,
        settings,
      )
      if (sendClientError) return sendClientError(answer)
    }
    const sendOwnerError = await checkResourceOwner(form, settings)
    if (sendOwnerError) return sendOwnerError(answer)
    return forwardRequest(request, answer, form, next)
  }
}

function forwardRequest(
  request: RecordedRequest,
  answer: Answer,
  form: URLSearchParams,
  next: Handler,
): void | Promise<void> {
  const code = form.get('code') ?? form.get('authCode')
  if (code !== null) form.set('code', code)
  for (const name of ['authCode', 'resOwnerId', 'gpsi', 'client_secret', 'scope']) form.delete(name)
  const copy = request.copyWith({ url: '/token', body: form.toString() })
  // The secret has been verified here; to the authorization server the client is a public one.
  delete copy.headers.authorization
  Object.assign(copy, { originalUrl: Reflect.get(request, 'originalUrl') })
  return next(copy, answer)
}

type SendError = (answer: Answer) => void

async function checkClient(
  securityId: string,
  form: URLSearchParams,
  request: RecordedRequest,
  { invokers, isClient }: TokenEndpointSettings,
): Promise<SendError | undefined> {
  const grantType = form.get('grant_type') ?? ''
  if (!GRANT_TYPES.includes(grantType)) {
    return (answer) =>
      sendProblem(
        answer,
        400,
        "grant_type is not one of ['client_credentials', 'authorization_code']",
      )
  }
  if (grantType === 'client_credentials') {
    return createOauthError(
      400,
      'unsupported_grant_type',
      'only authorization_code is granted here',
    )
  }
  const clientId = form.get('client_id') ?? parseBasicCredentials(request)?.name ?? ''
  if (clientId !== securityId || !(await isClient(clientId))) {
    return createOauthError(400, 'invalid_client', 'Client Id not found')
  }
  form.set('client_id', clientId)
  const codes = [form.get('code'), form.get('authCode')].filter((code) => code !== null)
  if (new Set(codes).size > 1) {
    return createOauthError(400, 'invalid_request', 'code and authCode must be the same')
  }
  const invoker = invokers.find(clientId)
  if (!invoker) return undefined
  // An invoker that is onboarded here has to negotiate a security context before it requests a token.
  if (!invokers.findContext(clientId))
    return (answer) => sendProblem(answer, 404, 'Security context not found')
  const secret = form.get('client_secret') ?? parseBasicCredentials(request)?.secret
  if (secret !== undefined && !isSecretValid(invoker, secret)) {
    return createOauthError(401, 'invalid_client', 'the onboarding secret is wrong')
  }
  return undefined
}

/** Checks that `resOwnerId`, as JSON or as `gpsi`, names the resource owner that the code was issued for. */
async function checkResourceOwner(
  form: URLSearchParams,
  { subscribers, findOwner }: TokenEndpointSettings,
): Promise<SendError | undefined> {
  const gpsi = form.get('gpsi') ?? parseGpsi(form.get('resOwnerId'))
  if (gpsi === undefined) return undefined
  const owner = await findOwner(form.get('code') ?? form.get('authCode') ?? '')
  if (gpsi !== null && owner !== undefined && subscribers.byId(owner)?.gpsi === gpsi)
    return undefined
  return createOauthError(400, 'invalid_grant', 'the code is not one of this resource owner')
}

function parseGpsi(value: string | null): string | null | undefined {
  if (value === null) return undefined
  try {
    const gpsi: unknown = Reflect.get(Object(JSON.parse(value)), 'gpsi')
    return typeof gpsi === 'string' ? gpsi : null
  } catch {
    return null
  }
}

function parseBasicCredentials(
  request: RecordedRequest,
): { name: string; secret: string } | undefined {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'basic') return undefined
  const [name = '', ...rest] = Buffer.from(value, 'base64').toString('utf8').split(':')
  return { name: decodeURIComponent(name), secret: decodeURIComponent(rest.join(':')) }
}

function createOauthError(status: number, error: string, description: string): SendError {
  return (answer) =>
    sendJson(answer, status, 'application/json', { error, error_description: description })
}

function sendProblem(answer: Answer, status: number, detail: string): void {
  sendJson(answer, status, 'application/problem+json', { status, detail })
}

function sendJson(answer: Answer, status: number, type: string, body: object): void {
  answer
    .writeHead(status, { 'content-type': type, 'cache-control': 'no-store', pragma: 'no-cache' })
    .end(JSON.stringify(body))
}
