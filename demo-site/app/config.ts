/**
 * What the page is told about the network it talks to: `/config.json` of its own origin. Nothing in it
 * is a secret; a UE application has none.
 */

export interface DemoSiteConfig {
  /** Issuer identifier of the authorization function. */
  issuer: string
  /** Base URL of the API exposing function, `…/3gpp-as-session-with-qos/v1`. */
  resource: string
  /** OAuth scope string of that API. */
  scope: string
  /** A W3C DPV term, told to the resource owner. */
  purpose?: string
  /** Where the operator knows the application beforehand. */
  clientId?: string
  /** Identifier of the SCS/AS, the first path segment below the API (TS 29.122 clause 5.14.3). */
  scsAsId: string
  /** Pre-defined QoS information that the operator and the application agreed on. */
  qosReference?: string
  /** An endless download over the network's user plane, to measure what a session does. */
  streamUrl?: string
}

export const CONFIG_PATH = '/config.json'

const REQUIRED = ['issuer', 'resource', 'scope', 'scsAsId'] as const
const OPTIONAL = ['purpose', 'clientId', 'qosReference', 'streamUrl'] as const
const URLS = ['issuer', 'resource', 'streamUrl'] as const

/**
 * Checks what `/config.json` holds.
 *
 * @throws TypeError that names the member and the expectation.
 */
export function parseConfig(value: unknown): DemoSiteConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('configuration: expected a JSON object')
  }
  const members = value as Record<string, unknown>
  for (const name of REQUIRED) {
    if (typeof members[name] !== 'string' || members[name] === '') {
      throw new TypeError(`configuration member "${name}": expected a non-empty string`)
    }
  }
  for (const name of OPTIONAL) {
    if (members[name] !== undefined && typeof members[name] !== 'string') {
      throw new TypeError(`configuration member "${name}": expected a string`)
    }
  }
  for (const name of URLS) {
    const value = members[name]
    if (typeof value === 'string' && !/^https?:$/.test(protocolOf(value))) {
      throw new TypeError(`configuration member "${name}": expected an http or https URL`)
    }
  }
  const known = [...REQUIRED, ...OPTIONAL].filter((name) => members[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, members[name]])) as unknown as DemoSiteConfig
}

function protocolOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : ''
}

/** Reads `/config.json`. */
export async function loadConfig(fetchConfig: typeof fetch): Promise<DemoSiteConfig> {
  const response = await fetchConfig(CONFIG_PATH, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`${CONFIG_PATH}: the server answered ${response.status}`)
  return parseConfig(await response.json())
}
