/** Scope strings: grammar, and operations on their words. @see RFC 6749 section 3.3 */

import { NorthkeyError } from './error.ts'

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/
const LENGTH_LIMIT = 2000

/** Whether a string follows the grammar of a scope, and is short enough for a server. */
export function isScope(value: string): boolean {
  return value.length <= LENGTH_LIMIT && SCOPE.test(value)
}

/** Returns the scope unchanged, or throws an error that names the parameter. */
export function requireScope(value: unknown, name = 'scope'): string {
  if (typeof value === 'string' && isScope(value)) return value
  throw new NorthkeyError(
    'invalid_params',
    `"${name}" must be a scope: space-separated words of printable ASCII, at most 2000 characters`,
  )
}

/** The words of a scope in their order, without duplicates. */
export function scopeWords(scope: string): string[] {
  return [...new Set(scope.split(' ').filter((word) => word !== ''))]
}

/** The words of a scope that the granted scope contains too. */
export function scopeWithin(asked: string, granted: string): string {
  const words = new Set(scopeWords(granted))
  return scopeWords(asked)
    .filter((word) => words.has(word))
    .join(' ')
}

/** All words of several scopes, without duplicates. */
export function joinScopes(...scopes: readonly string[]): string {
  return scopeWords(scopes.join(' ')).join(' ')
}
