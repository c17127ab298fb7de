/**
 * Creates and parses CAPIF scopes. A CAPIF scope is one word that contains a list of APIs, so every selection and
 * order of the APIs of the AEF is a scope of its own. @see TS 29.222 table 8.5.4.2.6-1
 */

import { AEF_ID } from '../apis/catalogue.ts'

const PREFIX = '3gpp#'

/** Lists every scope that contains some of these APIs, in any order. */
export function listCapifScopes(apiNames: readonly string[]): string[] {
  return listOrderedSelections(apiNames).map((list) => `${PREFIX}${AEF_ID}:${list.join(',')}`)
}

function listOrderedSelections(names: readonly string[]): string[][] {
  return names.flatMap((name) => {
    const rest = listOrderedSelections(names.filter((candidate) => candidate !== name))
    return [[name], ...rest.map((list) => [name, ...list])]
  })
}

/** Returns the names of the APIs that a scope allows at our AEF; none for a scope of another syntax. */
export function parseApiNames(scope: string): string[] {
  const word = scope.split(' ').find((candidate) => candidate.startsWith(PREFIX))
  if (word === undefined) return []
  return word
    .slice(PREFIX.length)
    .split(';')
    .flatMap((part) => {
      const [aefId, names, ...more] = part.split(':')
      return aefId === AEF_ID && names !== undefined && more.length === 0 ? names.split(',') : []
    })
}

/** Returns the error of a scope, in the wording of deployed CAPIF cores; `undefined` for a valid scope. */
export function findScopeError(scope: string, known: readonly string[]): string | undefined {
  const [word = ''] = scope.split(' ')
  if (!word.startsWith('3gpp')) return "The first characters must be '3gpp'"
  if (!/^3gpp#[^#;:,]+:[^#;:,]+(,[^#;:,]+)*(;[^#;:,]+:[^#;:,]+(,[^#;:,]+)*)*$/.test(word)) {
    return 'malformed scope'
  }
  for (const part of word.slice(PREFIX.length).split(';')) {
    const [aefId, names = ''] = part.split(':')
    if (aefId !== AEF_ID) return 'One of aef_id not belongs of your security context'
    if (!names.split(',').every((name) => known.includes(name))) {
      return 'One of the api names does not exist or is not associated with the aef id provided'
    }
  }
  return undefined
}
