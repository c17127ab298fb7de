/**
 * Calls the northbound API in one of two modes. `fetch` mode: the broker makes the call and keeps the token.
 * `token` mode: the page gets an access token for this call and sends the request itself.
 *
 * @see RFC 6750 section 2.1, RFC 9449 section 7.1
 */

import type { AccessToken, Grant, Mode } from '../../../shared/messages/page-api.ts'
import type { Broker } from '../broker.ts'
import { type ApiAnswer, type ApiRequest, headerOf, readAnswer } from './api-answer.ts'
import { failureOf, isAbort, UNREACHABLE } from './failure.ts'
import type { Trace } from './trace.ts'

export interface CallContext {
  broker: Broker
  grant: Grant
  /** Base URL of the API that the grant is used for. */
  resource: string
  trace: Trace
  /** The page's own fetch. */
  fetch: typeof fetch
  signal: AbortSignal
}

type Call = (request: ApiRequest, context: CallContext) => Promise<ApiAnswer>

const describeAnswer = (answer: ApiAnswer) => {
  const { status, statusText, headers, body } = answer
  return { received: { status, statusText, headers, body }, brief: String(status) }
}

function createHeaders({ body }: ApiRequest): Record<string, string> {
  const accept = 'application/json, application/problem+json'
  return body ? { accept, 'content-type': 'application/json' } : { accept }
}

const callByBroker: Call = (request, { broker, grant, trace, signal }) => {
  const { method, url, body } = request
  const headers = createHeaders(request)
  const { grantId } = grant
  return trace.call(
    'northbound_fetch',
    { url, method, headers, grantId, ...(body ? { body } : {}) },
    async () => {
      const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }
      return readAnswer(request, await broker.fetch(url, { ...init, grantId, signal }))
    },
    describeAnswer,
  )
}

const callByPage: Call = async (request, context) => {
  const { broker, grant, resource, trace, signal } = context
  const params = { grantId: grant.grantId, resource, interactive: 'ifNeeded' as const }
  const token = await trace.call('northbound_getAccessToken', params, () =>
    broker.getAccessToken(params, { signal }),
  )
  const first = await sendWithToken(request, context, token)
  const nonce = first.status === 401 ? headerOf(first, 'dpop-nonce') : undefined
  if (token.tokenType !== 'DPoP' || nonce === undefined) return first
  // RFC 9449 section 9: the API provides a nonce with its first 401 answer. The request is repeated once.
  return sendWithToken(request, context, token, nonce)
}

async function sendWithToken(
  request: ApiRequest,
  context: CallContext,
  token: AccessToken,
  nonce?: string,
): Promise<ApiAnswer> {
  const { broker, trace, signal } = context
  const headers: Record<string, string> = {
    ...createHeaders(request),
    authorization: `${token.tokenType} ${token.accessToken}`,
  }
  const body = request.body ? JSON.stringify(request.body) : undefined
  if (token.tokenType === 'DPoP') {
    const url = new URL(request.url)
    const proof = {
      grantId: token.grantId,
      htm: request.method,
      htu: url.origin + url.pathname,
      ...(body === undefined ? {} : { body }),
      ...(url.search ? { query: url.search.slice(1) } : {}),
      ...(nonce === undefined ? {} : { nonce }),
    }
    const { dpop } = await trace.call('northbound_createProof', proof, () =>
      broker.createProof(proof, { signal }),
    )
    headers.dpop = dpop
  }
  return trace.call(
    `${request.method} ${new URL(request.url).pathname}`,
    { headers, ...(request.body ? { body: request.body } : {}) },
    async () => {
      const init = { method: request.method, headers, credentials: 'omit' as const, signal }
      const sent = context.fetch(request.url, body === undefined ? init : { ...init, body })
      return readAnswer(request, await sent.catch(rethrowUnreachable))
    },
    describeAnswer,
  )
}

/** Converts the error of a failed fetch, whose cause the browser hides from the page. */
function rethrowUnreachable(error: unknown): never {
  if (isAbort(error) || failureOf(error).code !== undefined) throw error
  throw Object.assign(new Error('the API could not be reached'), UNREACHABLE)
}

const CALLS: Record<Mode, Call> = { fetch: callByBroker, token: callByPage }

/** Calls the API in the mode of the grant. */
export const callApi: Call = (request, context) => CALLS[context.grant.mode](request, context)
