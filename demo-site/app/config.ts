/**
 * Loads the configuration of the page: `/config.json` of its own origin, which describes the network. It contains no
 * secret; a UE application has none.
 */

export interface DemoSiteConfig {
  /** Issuer identifier of the authorization function. */
  issuer: string
  /** Base URL of the API exposing function, `…/3gpp-as-session-with-qos/v1`. */
  resource: string
  /** OAuth scope string of that API. */
  scope: string
  /** W3C DPV term, shown to the resource owner. */
  purpose?: string
  /** Client identifier, if the application is pre-registered. */
  clientId?: string
  /** Identifier of the SCS/AS, the first path segment below the API (TS 29.122 clause 5.14.3). */
  scsAsId: string
  /** Pre-defined QoS information that the operator and the application agreed on. */
  qosReference?: string
  /** Endless download over the user plane, to measure the effect of a session. */
  streamUrl?: string
}

export const CONFIG_PATH = '/config.json'

const REQUIRED = ['issuer', 'resource', 'scope', 'scsAsId'] as const
const OPTIONAL = ['purpose', 'clientId', 'qosReference', 'streamUrl'] as const
const URLS = ['issuer', 'resource', 'streamUrl'] as const

/**
 * Validates the content of `/config.json`.
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
