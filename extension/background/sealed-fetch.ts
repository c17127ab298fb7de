/**
 * `northbound_fetch`: the broker makes the call, the token stays here. No cookies, no redirects, only
 * what a page may send and see, at most 5 MiB each way.
 */

import type { FetchParams, FetchResult } from '../../shared/messages/page-api.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { type GrantRecord, grantOf, grantsOf } from './grants.ts'
import { findOperator } from './operators.ts'
import { MAX_BODY_BYTES } from './params.ts'
import { invalidParams, noGrant, Refusal, timedOut } from './refusal.ts'
import { canonicalUrl, isUnder } from './resource-url.ts'
import { accessTokenOf, dropAccessToken, type StoredToken } from './tokens.ts'

const TIMEOUT_MS = 25_000

const REQUEST_HEADERS = new Set([
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'prefer',
  'x-correlator',
])

const RESPONSE_HEADERS = new Set([
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'x-correlator',
])

interface Target {
  grant: GrantRecord
  resource: string
}

async function findTarget(origin: string, url: URL, grantId?: string): Promise<Target> {
  const grants = grantId ? [await grantOf(origin, grantId)] : await grantsOf(origin)
  for (const grant of grants) {
    const api = grant.apis.find(({ resource }) => isUnder(url, resource))
    if (api) return { grant, resource: api.resource }
  }
  throw noGrant()
}

function requestHeaders(headers: Record<string, string>, token: StoredToken): Headers {
  const allowed = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (!REQUEST_HEADERS.has(name.toLowerCase())) {
      throw invalidParams(`headers: expected only ${[...REQUEST_HEADERS].join(', ')}`)
    }
    allowed.set(name, value)
  }
  allowed.set('authorization', `${token.tokenType} ${token.accessToken}`)
  return allowed
}

async function readBody(response: Response): Promise<ArrayBuffer> {
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (reader) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.byteLength
    if (length > MAX_BODY_BYTES) {
      await reader.cancel()
      throw new Refusal(
        ERROR_CODE.untrustedResponse,
        'invalid_response',
        'the API answered with more than 5 MiB',
      )
    }
    chunks.push(value)
  }
  const body = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.byteLength
  }
  return body.buffer
}

async function send(
  url: URL,
  method: string,
  { headers = {}, body }: FetchParams,
  token: StoredToken,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: requestHeaders(headers, token),
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal,
    })
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (signal.aborted && signal.reason?.name === 'TimeoutError') {
      throw timedOut('the API did not answer in time')
    }
    throw new Refusal(ERROR_CODE.unreachable, 'network_error', 'the API cannot be reached')
  }
}

/** @throws Refusal */
export async function sealedFetch(
  origin: string,
  params: FetchParams,
  abort: AbortSignal,
): Promise<FetchResult> {
  const url = canonicalUrl(params.url)
  const { grant, resource } = await findTarget(origin, url, params.grantId)
  const api = (await findOperator(grant.issuer))?.apis.find(
    (candidate) => candidate.resource === resource,
  )
  const method = (params.method ?? 'GET').toUpperCase()
  const methods: readonly string[] = api?.methods ?? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
  if (!api || !methods.includes(method)) {
    throw invalidParams(`method: expected one of ${methods.join(', ')}`)
  }
  if (params.body !== undefined && method === 'GET')
    throw invalidParams('body: expected none with GET')

  const signal = AbortSignal.any([abort, AbortSignal.timeout(TIMEOUT_MS)])
  const token = await accessTokenOf(grant, resource)
  let response = await send(url, method, params, token, signal)
  if (response.status === 401) {
    await dropAccessToken(grant.grantId, resource)
    const renewed = await accessTokenOf(grant, resource).catch(() => undefined)
    if (renewed) response = await send(url, method, params, renewed, signal)
  }
  if (response.type === 'opaqueredirect') {
    throw new Refusal(
      ERROR_CODE.untrustedResponse,
      'invalid_response',
      'the API answered with a redirect, which is not followed',
    )
  }
  return {
    url: url.href,
    status: response.status,
    statusText: response.statusText,
    headers: [...response.headers].filter(([name]) => RESPONSE_HEADERS.has(name)),
    body: await readBody(response),
  }
}
