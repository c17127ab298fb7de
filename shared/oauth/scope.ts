/** Scope strings: grammar, and operations on their words. @see RFC 6749 section 3.3 */

import { NorthkeyError } from './error.ts'

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/

/** Longest scope that an application may request for one API, in characters. */
export const SCOPE_LIMIT = 2048

/** Whether a string follows the grammar of a scope. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && SCOPE.test(value)
}

/**
 * Returns the scope that an application requests for one API, or throws an error that names the parameter. The scope
 * of several APIs, and the scope that a server states, may be longer.
 */
export function requireScope(value: unknown, name = 'scope'): string {
  if (isScope(value) && value.length <= SCOPE_LIMIT) return value
  throw new NorthkeyError(
    'invalid_params',
    `"${name}" must be a scope: space-separated words of printable ASCII, at most ${SCOPE_LIMIT} characters`,
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
