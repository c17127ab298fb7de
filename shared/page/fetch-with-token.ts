/**
 * Calls an API with an access token that the page holds: with a DPoP proof where the token is bound to a key, with the
 * nonce that the API asks for, and with another token in place of one that the API has refused. Two refusals in a row
 * mean that a token does not help: the broker then answers with 4210 where no window may open.
 *
 * Rules: a token goes to a URL under its resource alone, without cookies, and follows no redirect.
 *
 * Border: the page's own world, and the page's own `fetch`. The API has to allow the page's origin (CORS), and to
 * expose the header fields `DPoP-Nonce` and `WWW-Authenticate`.
 *
 * @see RFC 6750 sections 2.1 and 3.1, RFC 9449 sections 7 and 9
 */

import {
  type AccessToken,
  ERROR_CODE,
  type GetAccessTokenParams,
  type Grant,
  type Interactive,
} from '../messages/page-api.ts'
import type { Broker } from './broker.ts'
import { readRequestBody } from './request-body.ts'

export interface TokenFetchOptions
  extends Omit<RequestInit, 'headers' | 'credentials' | 'redirect'> {
  headers?: HeadersInit
  grantId?: string
  /** Base URL of the API. Default: the longest granted resource above the URL. */
  resource?: string
  /** Part of the granted scope. */
  scope?: string
  interactive?: Interactive
}

export type FetchWithToken = (
  input: RequestInfo | URL,
  init?: TokenFetchOptions,
) => Promise<Response>

/** Calls of one `fetchWithToken` with different tokens. */
const MAX_TOKENS = 3

/** Tells whether a URL is a resource or below it. */
function isUnder({ origin, pathname }: URL, resource: string): boolean {
  return `${origin}${pathname}/`.startsWith(new URL(resource).href.replace(/\/*$/, '/'))
}

/** The longest resource above a URL. */
const findResource = (url: URL, resources: string[]): string | undefined =>
  resources
    .filter((resource) => isUnder(url, resource))
    .reduce<string | undefined>(
      (longest = '', resource) => (resource.length > longest.length ? resource : longest),
      undefined,
    )

const listResources = (grants: Grant[], grantId: string | undefined): string[] =>
  grants
    .filter((grant) => grant.mode === 'token' && grant.grantId === (grantId ?? grant.grantId))
    .flatMap(({ apis }) => apis.map(({ resource }) => resource))

/** An error of the convention: the page has no token for this URL. */
const noGrant = () =>
  Object.assign(new Error('url: expected under a resource of a grant in mode token'), {
    code: ERROR_CODE.noGrant,
    data: { error: 'no_grant' },
  })

/** The challenge of a 401, as far as CORS lets the page read it. */
const challengeOf = ({ status, headers }: Response): string | undefined =>
  status === 401 ? (headers.get('www-authenticate') ?? '') : undefined

/** Tells whether the API has refused the token, and does not want a nonce or another authentication. */
function isTokenRefused(response: Response): boolean {
  const challenge = challengeOf(response)
  return challenge !== undefined && (!/error=/.test(challenge) || /invalid_token/.test(challenge))
}

function wantsNonce(response: Response): boolean {
  const challenge = challengeOf(response)
  return challenge === '' || /use_dpop_nonce/.test(challenge ?? '')
}

/**
 * Makes a `fetch` for a page with a grant in mode `token`. It remembers the nonces of the APIs, so a page makes it once.
 * It rejects with a `ProviderError` of the broker, with 4100 for a URL under no resource of a grant in mode `token`, or
 * with the error of the platform's `fetch`.
 */
export function createFetchWithToken(
  broker: Pick<Broker, 'getGrants' | 'getAccessToken' | 'createProof'>,
): FetchWithToken {
  /** The last nonce of each API, by origin. */
  const nonces = new Map<string, string>()

  return async (input, { grantId, resource, scope, interactive, ...init } = {}) => {
    const request = new Request(input, init)
    const { method, signal } = request
    signal.throwIfAborted()
    const url = new URL(request.url)
    url.hash = ''
    const resources = resource
      ? [resource]
      : listResources(await broker.getGrants({ signal }), grantId)
    const api = findResource(url, resources)
    if (api === undefined) throw noGrant()
    const octets = await readRequestBody(request)
    const body = octets && { body: octets }

    async function createHeaders({
      tokenType,
      accessToken,
      grantId,
    }: AccessToken): Promise<Headers> {
      const headers = new Headers(request.headers)
      headers.set('authorization', `${tokenType} ${accessToken}`)
      if (tokenType !== 'DPoP') return headers
      const nonce = nonces.get(url.origin)
      const proof = { grantId, accessToken, htm: method, htu: url.href, ...body }
      const { dpop } = await broker.createProof({ ...proof, ...(nonce && { nonce }) }, { signal })
      headers.set('dpop', dpop)
      return headers
    }

    /** Sends the call, and a second time with the nonce that the API asks for. */
    async function send(token: AccessToken, isRepeated = false): Promise<Response> {
      const headers = await createHeaders(token)
      const response = await fetch(url, {
        ...init,
        ...body,
        method,
        headers,
        signal,
        credentials: 'omit',
        redirect: 'error',
      })
      const nonce = response.headers.get('dpop-nonce')
      if (token.tokenType !== 'DPoP' || !nonce) return response
      const isNew = nonces.get(url.origin) !== nonce
      nonces.set(url.origin, nonce)
      return isNew && !isRepeated && wantsNonce(response) ? send(token, true) : response
    }

    const wanted: GetAccessTokenParams = {
      resource: api,
      ...(grantId && { grantId }),
      ...(scope && { scope }),
      ...(interactive && { interactive }),
    }
    let token = await broker.getAccessToken(wanted, { signal })
    for (let tokens = 1; ; tokens++) {
      const response = await send(token)
      if (tokens === MAX_TOKENS || !isTokenRefused(response)) return response
      token = await broker.getAccessToken({ ...wanted, refused: token.accessToken }, { signal })
    }
  }
}
