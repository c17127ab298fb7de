/** Scope strings. @see RFC 6749 section 3.3 */

import { NorthkeyError } from './error.ts'

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/
const LENGTH_LIMIT = 2000

/** Whether a string is a scope by the grammar, and of a length that a server will take. */
export function isScope(value: string): boolean {
  return value.length <= LENGTH_LIMIT && SCOPE.test(value)
}

/** The scope as it was, or an error that names the parameter. */
export function requireScope(value: unknown, name = 'scope'): string {
  if (typeof value === 'string' && isScope(value)) return value
  throw new NorthkeyError(
    'invalid_params',
    `"${name}" must be a scope: space-separated words of printable ASCII, at most 2000 characters`,
  )
}

/** The words of a scope, each once, in their order. */
export function scopeWords(scope: string): string[] {
  return [...new Set(scope.split(' ').filter((word) => word !== ''))]
}

/** The words of a scope that another scope has too. */
export function scopeWithin(asked: string, granted: string): string {
  const words = new Set(scopeWords(granted))
  return scopeWords(asked)
    .filter((word) => words.has(word))
    .join(' ')
}

/** All words of several scopes, each once. */
export function joinScopes(...scopes: readonly string[]): string {
  return scopeWords(scopes.join(' ')).join(' ')
}
