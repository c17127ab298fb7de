/**
 * Binds OAuth clients to origins. All applications share the broker's redirect URI, so only the origin that a
 * client identifier is bound to may use it. The binding comes from the operator's profile, from a dynamic
 * registration that the broker made for that origin, or from a client ID metadata document on that origin.
 *
 * @see RFC 7591, draft-ietf-oauth-client-id-metadata-document
 */

import {
  type ClientKey,
  clientKeyId,
  fetchClientDocument,
  redirectUriFor,
  registerClient,
  registrationScope,
  requireClientIdUrl,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { ConsentWaiver, OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { findApplication } from '../operators/operators.ts'
import { invalidParams } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createTokenBuckets } from '../platform/rate-limiter.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { createKey, getKey } from './keys.ts'

/** Application that an origin may act as, before any request is sent. */
export interface BoundApplication {
  name: string
  requireConsent: boolean
  /** Absent unless the profile waives the consent for this application. */
  consentWaiver?: ConsentWaiver
  /** Absent until the broker has registered the client. */
  clientId?: string
}

interface Registration {
  issuer: string
  origin: string
  /** Absent after the server has refused the client, until there is another. */
  clientId?: string
  /** Clients that the server has refused, the latest last. A grant may still name them. */
  refused?: string[]
}

/** Refused clients that are remembered for an origin at an operator. */
const MAX_REFUSED = 16

/**
 * Limits the clients that are given up for an origin at an operator: a server that refuses every client would
 * otherwise get another registration with each call.
 */
const takeReplacement = createTokenBuckets({ burst: 3, perSecond: 1 / 600 })

const registrations = openSealedStore<Registration>('clients')
const registrationFlights = createSingleFlight<string>()

const getRegistrationId = (issuer: string, origin: string) => `${issuer} ${origin}`
const getClientKeyId = (issuer: string, origin: string) =>
  `client ${getRegistrationId(issuer, origin)}`

export const getRedirectUri = (issuer: string): Promise<string> =>
  redirectUriFor(redirectBase, issuer)

/**
 * Tells whether each installation registers a client of its own, also for an origin that the profile names:
 * the broker creates the client key, and only a registration gives its public part to the server.
 */
const needsOwnKey = ({ onboarding, clientAuthentication }: OperatorProfile) =>
  onboarding === 'dynamic' && clientAuthentication === 'private_key_jwt'

/** Tells whether a client identifier may be that of a client document. The document itself is fetched later. */
function isClientDocument(clientId: string, origin: string): boolean {
  try {
    requireClientIdUrl(clientId, origin, { allowInsecureLoopback: __DEVELOPMENT__ })
    return true
  } catch {
    return false
  }
}

/**
 * Finds the application that this origin may act as at this operator, or `undefined`.
 *
 * @throws BrokerError `invalid_params` when the page has to name a client document on its own origin.
 */
export async function findBoundApplication(
  operator: OperatorProfile,
  origin: string,
  clientId: string | undefined,
): Promise<BoundApplication | undefined> {
  const { onboarding = 'preregistered', issuer } = operator
  const application = findApplication(operator, origin, clientId)
  const name = application?.name ?? new URL(origin).host
  const { requireConsent = true, consentWaiver } = application ?? {}
  const named = { name, requireConsent, ...(consentWaiver && { consentWaiver }) }
  if (application && !needsOwnKey(operator)) {
    return { ...named, clientId: application.clientId }
  }
  if (onboarding === 'preregistered') return undefined
  if (onboarding === 'client_id_metadata_document') {
    if (clientId === undefined || !isClientDocument(clientId, origin)) {
      throw invalidParams(
        'clientId: expected the URL of a client document on this very origin, in normal form, without query and fragment',
      )
    }
    return { ...named, clientId }
  }
  const { clientId: registered, refused = [] } =
    (await registrations.get(getRegistrationId(issuer, origin))) ?? {}
  const isItsOwn = clientId === undefined || clientId === registered || refused.includes(clientId)
  if (!isItsOwn && !application) return undefined
  return { ...named, ...(registered !== undefined && { clientId: registered }) }
}

async function registerOrigin(
  server: OperatorProfile,
  metadata: ServerMetadata,
  origin: string,
): Promise<string> {
  const { issuer, clientAuthentication } = server
  const key =
    clientAuthentication === 'private_key_jwt'
      ? await createKey(getClientKeyId(issuer, origin))
      : undefined
  const { clientId } = await registerClient(
    {
      server,
      metadata,
      clientName: new URL(origin).host,
      redirectUris: [await getRedirectUri(issuer)],
      scope: registrationScope(server, metadata),
      clientPublicKey: key?.publicKey,
    },
    createEffects(getServerOrigins(server)),
  )
  const id = getRegistrationId(issuer, origin)
  await registrations.set(id, { ...(await registrations.get(id)), issuer, origin, clientId })
  return clientId
}

/** Tells whether a client comes from a registration that the broker made, and not from the profile. */
const isRegistered = (server: OperatorProfile, origin: string, clientId: string) =>
  server.onboarding === 'dynamic' &&
  (needsOwnKey(server) || !findApplication(server, origin, clientId))

/** Tells whether the server has refused this client: its tokens are of no use any more. */
export async function isRefusedClient(
  { issuer }: OperatorProfile,
  origin: string,
  clientId: string,
): Promise<boolean> {
  const registration = await registrations.get(getRegistrationId(issuer, origin))
  return registration?.refused?.includes(clientId) === true
}

/**
 * Gives up a registered client that the server has refused. The next request registers another one.
 *
 * @returns Whether the client was given up: one of the profile is not, nor are many in a short time.
 */
export async function giveUpClient(
  server: OperatorProfile,
  origin: string,
  clientId: string,
): Promise<boolean> {
  if (!isRegistered(server, origin, clientId)) return false
  if (await isRefusedClient(server, origin, clientId)) return true
  const { issuer } = server
  const id = getRegistrationId(issuer, origin)
  if (takeReplacement(id) > 0) return false
  const { clientId: current, refused = [] } = (await registrations.get(id)) ?? {}
  await registrations.set(id, {
    issuer,
    origin,
    ...(current !== undefined && current !== clientId && { clientId: current }),
    refused: [...refused, clientId].slice(-MAX_REFUSED),
  })
  return true
}

/** Fetches and checks the client document of a request, where the client identifier has to be one. */
export async function checkClientDocument(
  server: OperatorProfile,
  origin: string,
  clientId: string | undefined,
): Promise<void> {
  if (clientId === undefined || server.onboarding === 'dynamic') return
  if (findApplication(server, origin, clientId)) return
  const redirectUri = await getRedirectUri(server.issuer)
  const effects = createEffects(new Set([origin]))
  await fetchClientDocument({ clientId, origin, redirectUri }, effects)
}

/**
 * Returns the client identifier for a request. A client document is fetched and checked first; a client that is
 * missing, or that the server has refused, is registered first, in a single flight for each issuer and origin.
 */
export async function resolveClientId(
  server: OperatorProfile,
  metadata: ServerMetadata,
  origin: string,
  clientId: string | undefined,
): Promise<string> {
  const isGivenUp = clientId !== undefined && (await isRefusedClient(server, origin, clientId))
  if (clientId !== undefined && !isGivenUp) {
    await checkClientDocument(server, origin, clientId)
    return clientId
  }
  const id = getRegistrationId(server.issuer, origin)
  const registered = isGivenUp ? (await registrations.get(id))?.clientId : undefined
  return registered ?? registrationFlights.run(id, () => registerOrigin(server, metadata, origin))
}

/**
 * Returns the authentication key of the client of this origin, if the operator requires `private_key_jwt`.
 */
export async function getClientKey(
  server: OperatorProfile,
  origin: string,
): Promise<ClientKey | undefined> {
  if (server.clientAuthentication !== 'private_key_jwt') return undefined
  const key = await getKey(getClientKeyId(server.issuer, origin))
  return key && { privateKey: key.privateKey, kid: await clientKeyId(key.publicKey) }
}

export const sweepRegistrations = (): Promise<void> => registrations.sweep()
