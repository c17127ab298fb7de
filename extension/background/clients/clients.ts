/**
 * Which client an origin may act as. All applications share the broker's redirect URI, so a client
 * identifier is usable by the origin that it is bound to and by no other: bound by the operator's
 * profile, by a registration that the broker made for that origin, or by a document on that origin.
 *
 * @see RFC 7591, draft-ietf-oauth-client-id-metadata-document
 */

import {
  type ClientKey,
  fetchClientDocument,
  redirectUriFor,
  registerClient,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { findApplication } from '../operators/operators.ts'
import { invalidParams } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { createKey, getKey } from './keys.ts'

/** What is known of an application before anything is sent. */
export interface BoundApplication {
  name: string
  requireConsent: boolean
  /** Absent until the broker has registered it. */
  clientId?: string
}

interface Registration {
  issuer: string
  origin: string
  clientId: string
}

const registrations = openSealedStore<Registration>('clients')
const registering = createSingleFlight<string>()

const idOf = (issuer: string, origin: string) => `${issuer} ${origin}`
const clientKeyId = (issuer: string, origin: string) => `client ${idOf(issuer, origin)}`

export const getRedirectUri = (issuer: string): Promise<string> =>
  redirectUriFor(redirectBase, issuer)

/**
 * Whether each installation registers a client of its own, also for an origin that the profile names: its
 * key is made here, and nothing but a registration tells the server of it.
 */
const needsOwnKey = ({ onboarding, clientAuthentication }: OperatorProfile) =>
  onboarding === 'dynamic' && clientAuthentication === 'private_key_jwt'

/**
 * The application that this origin may act as at this operator, or `undefined`.
 *
 * @throws BrokerError `invalid_params` where the page has to name its own document.
 */
export async function findBoundApplication(
  operator: OperatorProfile,
  origin: string,
  clientId: string | undefined,
): Promise<BoundApplication | undefined> {
  const { onboarding = 'preregistered', issuer } = operator
  const known = findApplication(operator, origin, clientId)
  const name = known?.name ?? new URL(origin).host
  const requireConsent = known?.requireConsent ?? true
  if (known && !needsOwnKey(operator)) return { name, requireConsent, clientId: known.clientId }
  if (onboarding === 'preregistered') return undefined
  if (onboarding === 'client_id_metadata_document') {
    if (clientId === undefined || !URL.canParse(clientId) || new URL(clientId).origin !== origin) {
      throw invalidParams('clientId: expected the URL of a client document on this very origin')
    }
    return { name, requireConsent, clientId }
  }
  const registered = (await registrations.get(idOf(issuer, origin)))?.clientId
  if (clientId !== undefined && clientId !== registered && !known) return undefined
  return { name, requireConsent, ...(registered !== undefined && { clientId: registered }) }
}

async function register(
  server: OperatorProfile,
  metadata: ServerMetadata,
  origin: string,
): Promise<string> {
  const { issuer, clientAuthentication } = server
  const key =
    clientAuthentication === 'private_key_jwt'
      ? await createKey(clientKeyId(issuer, origin))
      : undefined
  const { clientId } = await registerClient(
    {
      server,
      metadata,
      clientName: new URL(origin).host,
      redirectUris: [await getRedirectUri(issuer)],
      clientPublicKey: key?.publicKey,
    },
    createEffects(),
  )
  await registrations.set(idOf(issuer, origin), { issuer, origin, clientId })
  return clientId
}

/** The client identifier to send: checked where it is a document, registered where that is due. */
export async function resolveClientId(
  server: OperatorProfile,
  metadata: ServerMetadata,
  origin: string,
  clientId: string | undefined,
): Promise<string> {
  if (clientId !== undefined) {
    if (findApplication(server, origin, clientId) || server.onboarding === 'dynamic')
      return clientId
    const redirectUri = await getRedirectUri(server.issuer)
    await fetchClientDocument({ clientId, origin, redirectUri }, createEffects())
    return clientId
  }
  const id = idOf(server.issuer, origin)
  return registering.run(id, () => register(server, metadata, origin))
}

/** The key with which the client of this origin authenticates, where the operator wants one. */
export async function getClientKey(
  server: OperatorProfile,
  origin: string,
): Promise<ClientKey | undefined> {
  if (server.clientAuthentication !== 'private_key_jwt') return undefined
  const key = await getKey(clientKeyId(server.issuer, origin))
  return key && { privateKey: key.privateKey }
}

export const sweepRegistrations = (): Promise<void> => registrations.sweep()
