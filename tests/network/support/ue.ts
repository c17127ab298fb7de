/** UE that uses `shared/core` only: onboards, authorizes, redeems codes, calls APIs. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Network } from '../../../demo-site/network/index.ts'
import {
  beginAuthorization,
  camaraProofClaims,
  createDpopKey,
  type DpopKey,
  discover,
  type Effects,
  type Prompt,
  receiveAuthorizationResponse,
  redeemCode,
  redirectUriFor,
  registerClient,
  requestResource,
  type ServerMetadata,
  type TokenSet,
} from '../../../shared/core/index.ts'
import type { Onboarding, OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { APPLICATION, REDIRECT_BASE } from './client.ts'
import type { Page } from './scripted-browser.ts'

export const EFFECTS: Effects = { fetch, now: () => Date.now(), allowInsecureLoopback: true }

export interface Ue {
  server: OperatorProfile
  metadata: ServerMetadata
  clientId: string
  clientKey?: CryptoKey
  dpop: DpopKey
}

/** Serves a Client ID Metadata Document, as the origin of an application would. */
export async function startDocumentServer(redirectUris: string[]) {
  const server = createServer((_request, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' })
    answer.end(
      JSON.stringify({
        client_id: clientId,
        client_name: 'Skyframe',
        redirect_uris: redirectUris,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clientId = `http://127.0.0.1:${(server.address() as AddressInfo).port}/client.json`
  return { clientId, close: () => server.close() }
}

export async function onboardUe(
  network: Network,
  profile: OperatorProfile['profile'],
  onboarding: Onboarding,
  documentId: string,
): Promise<Ue> {
  const operatorProfile = network.operatorProfiles.find(
    (candidate) => candidate.profile === profile,
  )
  if (!operatorProfile) throw new Error(`no operator profile for ${profile}`)
  // CAMARA uses a key of the UE if the client can register it; otherwise the client is public.
  const withKey = profile === 'camara' && onboarding === 'dynamic'
  const server: OperatorProfile = {
    ...operatorProfile,
    onboarding,
    clientAuthentication: withKey ? 'private_key_jwt' : 'none',
  }
  const metadata = await discover(server, EFFECTS)
  const ue = { server, metadata, dpop: await createDpopKey() }
  if (onboarding === 'preregistered') return { ...ue, clientId: APPLICATION.clientId }
  if (onboarding === 'client_id_metadata_document') return { ...ue, clientId: documentId }
  const keys = await createDpopKey()
  const { clientId } = await registerClient(
    {
      server,
      metadata,
      clientName: 'Skyframe',
      redirectUris: [await redirectUriFor(REDIRECT_BASE, server.issuer)],
      ...(withKey && { clientPublicKey: keys.publicKey }),
    },
    EFFECTS,
  )
  return { ...ue, clientId, ...(withKey && { clientKey: keys.privateKey }) }
}

export interface AccessRequest {
  api?: string
  prompt?: Prompt
  scope?: string
  purpose?: string
}

/** Creates the request of a page for the API with this title in the operator profile. */
export function createApiAccess({ server }: Ue, title: string): ApiAccess {
  const api = server.apis.find(({ name }) => name === title)
  if (!api) throw new Error(`no API "${title}"`)
  return {
    resource: api.resource,
    scope: api.scopes.map(({ scope }) => scope).join(' '),
    ...(server.profile === 'camara' && { purpose: api.purposes?.[0] ?? '' }),
  }
}

/** Performs a flow, from the authorization request to the token. */
export async function obtainTokens(
  ue: Ue,
  access: ApiAccess,
  authorize: (url: string) => Promise<Page>,
  prompt?: Prompt,
): Promise<TokenSet> {
  const { flow, authorizationUrl } = await beginAuthorization(
    {
      server: ue.server,
      metadata: ue.metadata,
      clientId: ue.clientId,
      redirectUri: await redirectUriFor(REDIRECT_BASE, ue.server.issuer),
      apis: [access],
      deadlineMs: Date.now() + 60_000,
      dpop: ue.dpop,
      prompt,
      offlineAccess: true,
      ...(ue.clientKey && { clientKey: { privateKey: ue.clientKey } }),
    },
    EFFECTS,
  )
  const page = await authorize(authorizationUrl)
  const redeemable = receiveAuthorizationResponse(flow, page.url.href, Date.now())
  return redeemCode(redeemable, EFFECTS, {
    ...(flow.dpopJkt !== undefined && { dpop: ue.dpop }),
    ...(ue.clientKey && { clientKey: { privateKey: ue.clientKey } }),
  })
}

/** Calls a northbound API with the token. */
export async function callApi(
  ue: Ue,
  tokens: TokenSet,
  method: string,
  url: string,
  body?: object,
): Promise<Response> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return requestResource(
    {
      url,
      method,
      accessToken: tokens.accessToken,
      tokenType: tokens.tokenType,
      dpop: ue.dpop,
      proofClaims: await camaraProofClaims(ue.metadata.camara_dpop_claims_required, {
        body: text,
        query: new URL(url).search.slice(1),
      }),
      ...(text !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
    },
    EFFECTS,
  )
}
