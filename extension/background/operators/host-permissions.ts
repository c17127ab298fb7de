/** Host permissions that an operator's profile needs, as patterns of the browser. Pure. */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'

/** A host as the browser's permissions know it. They know no ports. */
export function toHostPattern(url: string): string {
  const { protocol, hostname } = new URL(url)
  return `${protocol}//${hostname}/*`
}

/** Every host that the profile names, to be asked for together. */
export function listHostPermissions(profile: OperatorProfile): string[] {
  const { issuer, capif, apis, metadata = {} } = profile
  const endpoints = Object.entries(metadata)
    .filter(([name]) => /_(?:endpoint|uri)$/.test(name))
    .map(([, value]) => value)
    .filter((value) => typeof value === 'string' && URL.canParse(value))
  const urls = [issuer, capif?.apiRoot ?? issuer, ...apis.map(({ resource }) => resource)]
  return [...new Set([...urls, ...(endpoints as string[])].map(toHostPattern))]
}
