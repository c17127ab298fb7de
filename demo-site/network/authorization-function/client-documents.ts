/**
 * Loads Client ID Metadata Documents from loopback, where there is no https: the identifier of a client is the URL
 * of its metadata. For https URLs oidc-provider loads them itself.
 * @see draft-ietf-oauth-client-id-metadata-document sections 3 and 4
 */

import { LRUCache } from 'lru-cache'
import type { AdapterPayload } from 'oidc-provider'

const LIMIT_BYTES = 5 * 1024
const TIMEOUT_MS = 2500

const documentCache = new LRUCache<string, AdapterPayload>({ max: 100, ttl: 30_000 })

export function isLoopbackClientId(clientId: string): boolean {
  if (!clientId.startsWith('http://') || !URL.canParse(clientId)) return false
  const url = new URL(clientId)
  const loopback = url.hostname === 'localhost' || /^127(\.\d+){3}$/.test(url.hostname)
  return loopback && url.pathname !== '/' && url.href === clientId && !/[?#]/.test(clientId)
}

/** Loads the metadata of a client; `undefined` when there is none, or it is invalid. */
export async function loadClientDocument(clientId: string): Promise<AdapterPayload | undefined> {
  const cached = documentCache.get(clientId)
  if (cached) return cached
  const document = await fetchDocument(clientId).catch(() => undefined)
  if (document) documentCache.set(clientId, document)
  return document
}

async function fetchDocument(clientId: string): Promise<AdapterPayload | undefined> {
  const response = await fetch(clientId, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    credentials: 'omit',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = await response.text()
  if (response.status !== 200 || text.length > LIMIT_BYTES) return undefined
  const document: unknown = JSON.parse(text)
  if (typeof document !== 'object' || document === null) return undefined
  const members = document as Record<string, unknown>
  const method = members.token_endpoint_auth_method ?? 'none'
  if (members.client_id !== clientId || 'client_secret' in members) return undefined
  if (method !== 'none' && method !== 'private_key_jwt') return undefined
  return { ...members, client_id: clientId, token_endpoint_auth_method: method } as AdapterPayload
}
