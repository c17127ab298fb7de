/**
 * Finds the steps of RFC 7636 section 1.1 in the request log of the servers, and checks that they are consistent.
 * A step that is not in the log is an error.
 */

import { createHash } from 'node:crypto'
import type { LogEntry, RequestLog } from '../../demo-site/network/index.ts'

export interface Exchanges {
  /** Pushed authorization request (RFC 9126), if the client sent one. */
  pushedRequest: LogEntry | undefined
  authorizationRequest: LogEntry
  /** Parameters of the authorization request, pushed or in its URL. */
  parameters: Fields
  authentication: LogEntry
  authorization: LogEntry
  /** Exchange whose answer redirects with the authorization code. */
  authorizationResponse: LogEntry
  tokenRequest: LogEntry
  invocation: LogEntry
}

type Fields = Record<string, unknown>

function requireSingleEntry(entries: LogEntry[], what: string): LogEntry {
  const [entry] = entries
  if (!entry || entries.length !== 1) {
    throw new Error(`the servers' log shows ${entries.length} of: ${what}; expected one`)
  }
  return entry
}

function assertConsistent(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the servers' log contradicts: ${what}`)
}

export const getBody = (entry: LogEntry): Fields => (entry.body ?? {}) as Fields

/** Returns the redirect target of an answer. */
export function getLocation({ answerHeaders }: LogEntry): URL | undefined {
  const location = answerHeaders?.location
  return typeof location === 'string' && URL.canParse(location) ? new URL(location) : undefined
}

/** @throws Error that names the step that the log does not contain, or the check that fails. */
export function readExchanges(log: RequestLog, clientId: string, scsAsId: string): Exchanges {
  const posts = log.filter({ method: 'POST' })
  const authorizationRequest = requireSingleEntry(
    log.filter({ method: 'GET' }).filter(({ query }) => {
      const { response_type: responseType, request_uri: requestUri } = query
      return query.client_id === clientId && (responseType === 'code' || requestUri !== undefined)
    }),
    'authorization request',
  )
  // RFC 9449 section 8: a server may reject the first request to provide a nonce.
  const pushedRequest =
    authorizationRequest.query.request_uri === undefined
      ? undefined
      : requireSingleEntry(
          posts.filter((entry) => {
            return entry.status === 201 && getBody(entry).response_type === 'code'
          }),
          'pushed authorization request that was taken',
        )
  const found: Exchanges = {
    pushedRequest,
    authorizationRequest,
    parameters: pushedRequest ? getBody(pushedRequest) : authorizationRequest.query,
    authentication: requireSingleEntry(
      posts.filter((entry) => 'phone_number' in getBody(entry)),
      'authentication of the resource owner',
    ),
    authorization: requireSingleEntry(
      posts.filter((entry) => getBody(entry).decision === 'allow'),
      'authorization by the resource owner',
    ),
    authorizationResponse: requireSingleEntry(
      log.entries.filter((entry) => getLocation(entry)?.searchParams.has('code')),
      'authorization response with a code',
    ),
    tokenRequest: requireSingleEntry(
      posts.filter(({ status, body }) => {
        return status === 200 && (body as Fields).grant_type === 'authorization_code'
      }),
      'token request that was granted',
    ),
    invocation: requireSingleEntry(
      posts.filter(({ path, status }) => {
        return path.endsWith(`/${scsAsId}/subscriptions`) && status !== 401
      }),
      'northbound API invocation',
    ),
  }
  checkExchanges(found)
  return found
}

function checkExchanges(found: Exchanges): void {
  const { parameters, authorizationResponse, tokenRequest, invocation } = found
  const { code_verifier: verifier, code } = getBody(tokenRequest)
  const challenge = createHash('sha256').update(String(verifier)).digest('base64url')
  const response = getLocation(authorizationResponse)?.searchParams
  assertConsistent(parameters.code_challenge_method === 'S256', 'code_challenge_method is S256')
  assertConsistent(parameters.code_challenge === challenge, 'the verifier hashes to the challenge')
  assertConsistent(response?.get('state') === parameters.state, 'state came back unchanged')
  assertConsistent(response?.get('code') === code, 'the code that was issued is the one redeemed')
  assertConsistent(
    /^(Bearer|DPoP) ./.test(String(invocation.headers.authorization)),
    'the call had a token',
  )
}
