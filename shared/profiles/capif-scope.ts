/**
 * Parses and formats CAPIF scopes:
 *
 *     scope       = capif-scope *( SP other )
 *     capif-scope = "3gpp#" aef *( ";" aef )
 *     aef         = aefId ":" apiName *( "," apiName )
 *
 * Later releases add finer-grained words after it; these words stay opaque.
 * @see TS 29.222 V17.4.0 table 8.5.4.2.6-1
 */

import { NorthkeyError, readFromServer } from '../oauth/error.ts'
import { isScope } from '../oauth/scope.ts'

export interface CapifScope {
  /** API names by AEF id, in the order of the scope. */
  aefs: { aefId: string; apiNames: string[] }[]
  /** Words outside of the 3GPP grammar. */
  others: string[]
}

const PREFIX = '3gpp#'
const NAME = /^[^\s#;:,]+$/
const WORDS = 'must be space-separated words of printable ASCII'

/** Parses a CAPIF scope of a caller. Throws `invalid_params` if it does not follow the grammar. */
export function parseCapifScope(scope: string): CapifScope {
  if (!isScope(scope)) throw invalidScope(WORDS)
  const [first = '', ...others] = scope.split(' ')
  if (!first.startsWith(PREFIX)) throw invalidScope('must begin with "3gpp#"')
  const aefs = first
    .slice(PREFIX.length)
    .split(';')
    .map((aef) => {
      const [aefId = '', names, ...rest] = aef.split(':')
      const apiNames = names?.split(',') ?? []
      const wellFormed = rest.length === 0 && [aefId, ...apiNames].every((n) => NAME.test(n))
      if (!wellFormed || apiNames.length === 0)
        throw invalidScope('must name APIs as aefId:apiName,apiName')
      return { aefId, apiNames }
    })
  return { aefs, others }
}

/** Formats a CAPIF scope, without duplicate AEFs and API names. */
export function formatCapifScope(scope: CapifScope): string {
  const apis = new Map<string, Set<string>>()
  for (const { aefId, apiNames } of scope.aefs) {
    if (apiNames.length === 0 || ![aefId, ...apiNames].every((name) => NAME.test(name))) {
      throw invalidScope('must be made of names without space, "#", ";", ":" and ","')
    }
    const names = apis.get(aefId) ?? new Set()
    for (const name of apiNames) names.add(name)
    apis.set(aefId, names)
  }
  if (apis.size === 0) throw invalidScope('must name an AEF')
  const aefs = [...apis].map(([aefId, names]) => `${aefId}:${[...names].join(',')}`)
  const text = [PREFIX + aefs.join(';'), ...new Set(scope.others)].join(' ')
  if (!isScope(text)) throw invalidScope(WORDS)
  return text
}

/** Joins several CAPIF scopes into one, since a scope string has a single `3gpp#` word. */
export function joinCapifScopes(scopes: readonly string[]): string {
  const parsed = scopes.map(parseCapifScope)
  return formatCapifScope({
    aefs: parsed.flatMap(({ aefs }) => aefs),
    others: parsed.flatMap(({ others }) => others),
  })
}

/** Parses the scope of a response. Throws `invalid_response` if it does not follow the grammar. */
const parseGrantedScope = (granted: string) => readFromServer(() => parseCapifScope(granted))

/**
 * The APIs of a scope that the granted scope contains too; an empty string if there is none.
 *
 * @param granted Scope of a response: one that does not follow the grammar is the server's error.
 */
export function capifScopeWithin(asked: string, granted: string): string {
  if (!granted.startsWith(PREFIX)) return ''
  const { aefs, others } = parseCapifScope(asked)
  const within = parseGrantedScope(granted)
  const kept = aefs
    .map(({ aefId, apiNames }) => ({
      aefId,
      apiNames: apiNames.filter((apiName) => allows(within, aefId, apiName)),
    }))
    .filter(({ apiNames }) => apiNames.length > 0)
  return kept.length === 0
    ? ''
    : formatCapifScope({
        aefs: kept,
        others: others.filter((word) => within.others.includes(word)),
      })
}

/** Whether a granted scope contains an API of an AEF. */
export function capifScopeAllows(scope: string, aefId: string, apiName: string): boolean {
  return allows(parseCapifScope(scope), aefId, apiName)
}

function allows({ aefs }: CapifScope, aefId: string, apiName: string): boolean {
  return aefs.some((aef) => aef.aefId === aefId && aef.apiNames.includes(apiName))
}

function invalidScope(expectation: string): NorthkeyError {
  return new NorthkeyError('invalid_params', `"scope" ${expectation} (TS 29.222)`)
}
