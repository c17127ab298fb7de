/**
 * The scopes that this CAPIF core grants. A CAPIF scope is one word that lists APIs, so each list of
 * the APIs of the one AEF is a word of its own. @see TS 29.222 table 8.5.4.2.6-1
 */

import { AEF_ID } from '../apis/catalogue.ts'

const PREFIX = '3gpp#'

/** Every word that names some of these APIs, in any order. */
export function listCapifScopes(apiNames: readonly string[]): string[] {
  return listOrderedSelections(apiNames).map((list) => `${PREFIX}${AEF_ID}:${list.join(',')}`)
}

function listOrderedSelections(names: readonly string[]): string[][] {
  return names.flatMap((name) => {
    const rest = listOrderedSelections(names.filter((candidate) => candidate !== name))
    return [[name], ...rest.map((list) => [name, ...list])]
  })
}

/** The API names that a scope gives access to at our AEF; nothing for a scope of another form. */
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

/** What is wrong with a scope, in the words that CAPIF cores in the field use. */
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
