/**
 * Sends a call with an access token: the token in the `Authorization` header only, a proof for exactly this
 * request, and one retry if the resource requires a nonce.
 *
 * Border: the caller, who knows the grant, decides whether the URL may be called.
 * @see RFC 6750 section 2.1, RFC 9449 sections 7 and 9
 */

import { createDpopProof, type DpopKey, withNonceRetry } from './dpop.ts'
import { type Effects, timeoutMs } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { requireSecureUrl } from './url-policy.ts'

export interface ResourceRequest {
  url: string
  method: string
  headers?: HeadersInit | undefined
  body?: string | ArrayBuffer | undefined
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  /** The key that a DPoP token is bound to. */
  dpop?: DpopKey | undefined
  /** Claims of a profile for the proof. */
  proofClaims?: Readonly<Record<string, string>> | undefined
}

const OWN_HEADERS = ['authorization', 'dpop', 'cookie'] as const

/**
 * Sends the call and returns the response. The caller reads the body and limits its size. A redirect is an
 * error, because a token must not follow it.
 */
export async function requestResource(
  request: ResourceRequest,
  effects: Effects,
): Promise<Response> {
  const url = requireSecureUrl(request.url, 'url', effects)
  const { tokenType, accessToken, dpop } = request
  if (tokenType === 'DPoP' && dpop === undefined) {
    throw new NorthkeyError('key_mismatch', '"dpop" must be there for a token of type DPoP')
  }
  const key = tokenType === 'DPoP' ? dpop : undefined
  const response = await withNonceRetry(key, url, async () => {
    const headers = new Headers(request.headers)
    for (const name of OWN_HEADERS) headers.delete(name)
    headers.set('authorization', `${tokenType} ${accessToken}`)
    if (key !== undefined) headers.set('dpop', await proofFor(request, key, effects))
    return sendOnce(url, request, headers, effects)
  })
  const redirected = response.status >= 300 && response.status < 400 && response.status !== 304
  if (response.type === 'opaqueredirect' || redirected) {
    throw new NorthkeyError('invalid_response', 'the resource answered with a redirect')
  }
  return response
}

function proofFor(request: ResourceRequest, key: DpopKey, effects: Effects): Promise<string> {
  const { url, method, accessToken, proofClaims } = request
  return createDpopProof(
    { key, url, method, accessToken, ...(proofClaims && { claims: proofClaims }) },
    effects,
  )
}

async function sendOnce(
  url: URL,
  request: ResourceRequest,
  headers: Headers,
  effects: Effects,
): Promise<Response> {
  const { fetch, signal } = effects
  // The timeout includes the body, which the caller reads.
  const limit = AbortSignal.timeout(timeoutMs(effects))
  try {
    return await fetch(url.href, {
      method: request.method,
      headers,
      body: request.body ?? null,
      redirect: 'manual',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
  } catch (cause) {
    if (cause instanceof NorthkeyError) throw cause
    if (signal?.aborted) throw new NorthkeyError('aborted', 'the caller gave up')
    if (limit.aborted) throw new NorthkeyError('timeout', 'the resource did not answer in time')
    throw new NorthkeyError('network_error', 'the resource could not be reached', { cause })
  }
}
