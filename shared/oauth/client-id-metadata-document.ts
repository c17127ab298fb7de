/**
 * Fetches and checks a client ID metadata document: the client identifier is the URL of the client's own
 * metadata. The broker accepts it for one origin only, the origin that hosts the document.
 * @see draft-ietf-oauth-client-id-metadata-document sections 3, 4 and 6
 */

import type { Effects } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { errorFromResponse } from './error-response.ts'
import { sendRequest } from './http.ts'
import { readJsonObject } from './json-response.ts'
import { requireSecureUrl } from './url-policy.ts'

const ENDPOINT = 'client id metadata document'

export interface ClientDocumentRequest {
  clientId: string
  /** Origin of the page that wants to use the client, as the browser reports it. */
  origin: string
  redirectUri: string
}

export interface ClientDocument {
  clientId: string
  clientName?: string
  scope?: string
}

/** Fetches and checks the document of a client identifier. */
export async function fetchClientDocument(
  request: ClientDocumentRequest,
  effects: Effects,
): Promise<ClientDocument> {
  const { clientId, origin, redirectUri } = request
  requireClientIdUrl(clientId, origin, effects)
  const headers = { accept: 'application/json' }
  const response = await sendRequest(clientId, { method: 'GET', headers }, ENDPOINT, effects)
  if (response.status !== 200) throw errorFromResponse(response, ENDPOINT, effects.now())
  const body = readJsonObject(response, ENDPOINT, [
    'application/json',
    'application/client-id-metadata+json',
  ])
  if (body.client_id !== clientId) throw invalidMember('client_id', 'the URL of the document')
  const uris = body.redirect_uris
  if (!Array.isArray(uris) || !uris.includes(redirectUri)) {
    throw invalidMember('redirect_uris', "a list that has the broker's redirect URI")
  }
  if (body.client_secret !== undefined || body.client_secret_expires_at !== undefined) {
    throw invalidMember('client_secret', 'absent')
  }
  const method = body.token_endpoint_auth_method ?? 'none'
  if (method !== 'none') throw invalidMember('token_endpoint_auth_method', 'none')
  return {
    clientId,
    ...(typeof body.client_name === 'string' && { clientName: body.client_name.slice(0, 80) }),
    ...(typeof body.scope === 'string' && { scope: body.scope }),
  }
}

/**
 * Throws for a client identifier that is no URL of a client document on this origin. Sends nothing, so that it can be
 * judged before anybody is asked.
 */
export function requireClientIdUrl(
  clientId: string,
  origin: string,
  effects: Pick<Effects, 'allowInsecureLoopback'>,
): void {
  const url = requireSecureUrl(clientId, 'clientId', effects)
  const plain = url.href === clientId && url.pathname !== '/' && !/[?#]/.test(clientId)
  if (!plain) {
    throw new NorthkeyError(
      'invalid_params',
      '"clientId" must be a URL in normal form with a path, without query and fragment',
    )
  }
  if (url.origin !== origin) {
    throw new NorthkeyError('invalid_params', '"clientId" must lie on the origin that uses it')
  }
}

function invalidMember(name: string, expectation: string): NorthkeyError {
  return new NorthkeyError('invalid_response', `${ENDPOINT}: "${name}" must be ${expectation}`)
}
