/**
 * Grammar of each opaque value: a text that one party makes and another repeats, such as a code or a token. A value
 * has the characters that its own specification allows, no fewer and no more. None has a limit of its own: the
 * answer that brings it has one (`RESPONSE_LIMIT_BYTES`).
 *
 * Border: a scope is no opaque value (`scope.ts`), and neither is a text that people read (`error.ts`). Pure.
 */

/** `VSCHAR` of RFC 6749 appendix A. */
const VISIBLE_OR_SPACE = /^[\x20-\x7e]+$/
const VISIBLE = /^[\x21-\x7e]+$/

/** @see RFC 6749 appendix A.1 */
export const isClientId = (value: unknown): value is string => matches(VISIBLE_OR_SPACE, value)

/** @see RFC 6749 appendix A.11 */
export const isCode = (value: unknown): value is string => matches(VISIBLE_OR_SPACE, value)

/**
 * A space would end the token in the header in which it is sent.
 * @see RFC 6750 section 2.1, RFC 9449 section 7.1
 */
export const isAccessToken = (value: unknown): value is string => matches(VISIBLE, value)

/** @see RFC 6749 appendix A.17 */
export const isRefreshToken = (value: unknown): value is string => matches(VISIBLE_OR_SPACE, value)

/** @see RFC 9126 section 2.2, RFC 3986 section 2 */
export const isRequestUri = (value: unknown): value is string => matches(VISIBLE, value)

/** Space-separated words. @see OpenID Connect Core section 3.1.2.1 */
export const isAcrValues = (value: unknown): value is string => matches(VISIBLE_OR_SPACE, value)

/**
 * A name in any script: OpenID Connect restricts it in no way, and the request is sent as UTF-8. Control characters
 * and halves of surrogate pairs are part of no name.
 * @see OpenID Connect Core section 3.1.2.1, RFC 6749 appendix B
 */
export const isLoginHint = (value: unknown): value is string =>
  matches(/^[^\p{Cc}\p{Cs}]+$/u, value)

/** The expectation of {@link isLoginHint}, for the message of an error. */
export const LOGIN_HINT = 'text without control characters'

/**
 * The nonce returns in a proof, which is a header field: beyond 8 kB no server takes the request.
 * @see RFC 9449 section 8.1
 */
export const isDpopNonce = (value: unknown): value is string =>
  matches(/^[\x21\x23-\x5b\x5d-\x7e]{1,8192}$/, value)

function matches(grammar: RegExp, value: unknown): value is string {
  return typeof value === 'string' && grammar.test(value)
}
