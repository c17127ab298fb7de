/**
 * Defines the servers that an operator may reach: the origins that its profile names. This set is one and the same
 * everywhere: the user sees it before the operator is added, the browser asks for it, and the broker sends
 * requests to no other origin (`platform/effects.ts`).
 *
 * The metadata of an authorization server may name more origins. They are added to the profile in the members
 * `signInOrigin` and `serverOrigins`, by the operator, by the administrator, or by the user's confirmation. Pure.
 */

import type { ServerMetadata } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type {
  OperatorServer,
  ServerAdditions,
  ServerUse,
} from '../../../shared/messages/screen-channel.ts'
import { parseUrl } from '../../../shared/oauth/url-policy.ts'

/** The members of the metadata that the broker uses, in the order in which the user reads them. */
const ENDPOINT_USES = {
  token_endpoint: 'tokens',
  jwks_uri: 'keys',
  pushed_authorization_request_endpoint: 'requests',
  registration_endpoint: 'registration',
  revocation_endpoint: 'revocation',
} as const satisfies Partial<Record<keyof ServerMetadata, ServerUse>>

const ENDPOINTS = Object.keys(ENDPOINT_USES) as (keyof typeof ENDPOINT_USES)[]

/** Returns the origin of a member, or `undefined` for a value that is no URL with a host. */
function toOrigin(value: unknown): string | undefined {
  const origin = typeof value === 'string' ? parseUrl(value)?.origin : undefined
  return origin === 'null' ? undefined : origin
}

/** The origin at which the user signs in. The sign-in window opens no other one. */
export function getSignInOrigin(profile: OperatorProfile): string {
  const { signInOrigin, metadata, issuer } = profile
  return signInOrigin ?? toOrigin(metadata?.authorization_endpoint) ?? new URL(issuer).origin
}

/** Lists the servers of a profile with their uses, once each. The issuer's server is the first. */
export function listServers(profile: OperatorProfile): OperatorServer[] {
  const { issuer, metadata = {}, capif, apis, serverOrigins = [] } = profile
  const issuerOrigin = new URL(issuer).origin
  const uses = new Map<string, Set<ServerUse>>()
  const add = (value: unknown, use: ServerUse) => {
    const origin = toOrigin(value)
    if (origin !== undefined) uses.set(origin, (uses.get(origin) ?? new Set()).add(use))
  }
  add(issuer, 'issuer')
  add(getSignInOrigin(profile), 'signIn')
  for (const name of ENDPOINTS) add(metadata[name], ENDPOINT_USES[name])
  if (capif?.apiRoot !== undefined) add(capif.apiRoot, 'capif')
  for (const origin of serverOrigins) add(origin, 'authorization')
  for (const { resource } of apis) add(resource, 'api')
  return [...uses].map(([origin, found]) => ({
    origin,
    uses: [...found],
    isForeign: origin !== issuerOrigin,
  }))
}

const originsByProfile = new WeakMap<OperatorProfile, ReadonlySet<string>>()

/** Returns the origins that the broker may send requests to for this operator. */
export function getServerOrigins(profile: OperatorProfile): ReadonlySet<string> {
  const known = originsByProfile.get(profile)
  if (known) return known
  const origins = new Set(listServers(profile).map(({ origin }) => origin))
  originsByProfile.set(profile, origins)
  return origins
}

function listUnnamedRequestOrigins(profile: OperatorProfile, metadata: ServerMetadata): string[] {
  const named = getServerOrigins(profile)
  const found = ENDPOINTS.map((name) => toOrigin(metadata[name]))
  return [...new Set(found)].filter(
    (origin): origin is string => origin !== undefined && !named.has(origin),
  )
}

/**
 * Tells whether the profile names every server to which metadata send requests. Stored metadata may be older than
 * the profile.
 */
export function namesRequestServers(profile: OperatorProfile, metadata: ServerMetadata): boolean {
  return listUnnamedRequestOrigins(profile, metadata).length === 0
}

/**
 * Compares the metadata of a server with the profile.
 *
 * @returns The origins that the profile does not name, or `undefined` if it names them all.
 */
export function findUnnamedServers(
  profile: OperatorProfile,
  metadata: ServerMetadata,
): ServerAdditions | undefined {
  const signIn = toOrigin(metadata.authorization_endpoint)
  const signInOrigin = signIn === getSignInOrigin(profile) ? undefined : signIn
  const serverOrigins = listUnnamedRequestOrigins(profile, metadata)
  if (signInOrigin === undefined && serverOrigins.length === 0) return undefined
  return { ...(signInOrigin !== undefined && { signInOrigin }), serverOrigins }
}

/** Adds origins to a profile, as if the operator had named them in it. */
export function addServers(
  profile: OperatorProfile,
  { signInOrigin, serverOrigins }: ServerAdditions,
): OperatorProfile {
  const origins = [...new Set([...(profile.serverOrigins ?? []), ...serverOrigins])]
  return {
    ...profile,
    ...(signInOrigin !== undefined && { signInOrigin }),
    ...(origins.length > 0 && { serverOrigins: origins }),
  }
}
