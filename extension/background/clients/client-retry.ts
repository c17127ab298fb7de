/**
 * Runs requests to an operator's server as the client of an origin. After a definite refusal (`invalid_client`, an
 * endpoint that is gone) what the broker holds of the other party is given up: the registered client, the key set and
 * the metadata. There is one new try, and only if there is something else to try.
 *
 * Border: `clients.ts` has the registrations. An answer that says nothing about client or endpoint is no such refusal.
 *
 * @see RFC 6749 section 5.2, RFC 7591
 */

import {
  dropKeySet,
  isNorthkeyError,
  type NorthkeyErrorObject,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { forgetMetadata } from '../operators/metadata-cache.ts'
import { discoverServer } from '../operators/operator-discovery.ts'
import { giveUpClient, isRefusedClient, resolveClientId } from './clients.ts'

const CLIENT_ERRORS: readonly (string | undefined)[] = ['invalid_client', 'unauthorized_client']
/** Not found, method not allowed, gone: the endpoint is not where the metadata say. */
const GONE: readonly (number | undefined)[] = [404, 405, 410]

const isClientRefused = ({ error, httpStatus }: NorthkeyErrorObject) =>
  CLIENT_ERRORS.includes(error) || (error === undefined && httpStatus === 401)

const isEndpointGone = ({ error, httpStatus }: NorthkeyErrorObject) =>
  error === undefined && GONE.includes(httpStatus)

/** Tells whether a server refuses the client itself, or has no such endpoint. */
export const isDefiniteRefusal = (error: unknown): boolean =>
  isNorthkeyError(error) && (isClientRefused(error) || isEndpointGone(error))

/** The server and the client that a request is for. */
export interface ClientAtServer {
  metadata: ServerMetadata
  clientId: string
}

/** Gives up what the broker holds of the other party after a definite refusal. */
export async function giveUpServer(
  server: OperatorProfile,
  origin: string,
  { metadata, clientId }: ClientAtServer,
  error: unknown,
): Promise<void> {
  if (metadata.jwks_uri !== undefined) dropKeySet(metadata.jwks_uri)
  await forgetMetadata(server.issuer)
  if (isNorthkeyError(error) && isClientRefused(error)) {
    await giveUpClient(server, origin, clientId)
  }
}

async function resolveClient(
  server: OperatorProfile,
  origin: string,
  clientId: string,
  known?: ServerMetadata,
): Promise<ClientAtServer> {
  const metadata = known ?? (await discoverServer(server))
  if (!(await isRefusedClient(server, origin, clientId))) return { metadata, clientId }
  return { metadata, clientId: await resolveClientId(server, metadata, origin, clientId) }
}

const isSame = (former: ClientAtServer, latter: ClientAtServer) =>
  former.clientId === latter.clientId &&
  JSON.stringify(former.metadata) === JSON.stringify(latter.metadata)

/**
 * Runs a task as the client of an origin, and once more with another client or other metadata after a definite
 * refusal.
 *
 * @param clientId The client of the grant or of the flow. Another takes its place if the server has refused it before.
 * @param metadata Of this server, if they were read before.
 * @throws The error of the task.
 */
export async function runAsClient<T>(
  server: OperatorProfile,
  origin: string,
  clientId: string,
  task: (client: ClientAtServer) => Promise<T>,
  metadata?: ServerMetadata,
): Promise<T> {
  const client = await resolveClient(server, origin, clientId, metadata)
  try {
    return await task(client)
  } catch (error) {
    if (!isDefiniteRefusal(error)) throw error
    await giveUpServer(server, origin, client, error)
    const renewed = await resolveClient(server, origin, client.clientId)
    if (isSame(client, renewed)) throw error
    return task(renewed)
  }
}
