/**
 * Checks that every server reads the path of a URL in the same way. A grant is matched against this path: a
 * server that decodes the path differently could serve another resource than the grant allows.
 *
 * The check is for the path as the browser sends it: the URL parser has resolved dot segments and replaced
 * backslashes. A percent-escape passes only in its normal form: valid, shortest UTF-8, capital hex digits,
 * and no character that needs no escape.
 *
 * Pure.
 *
 * @see RFC 3986 sections 2.1, 3.3 and 6.2.2, RFC 3629 section 3
 */

export const EXPECTED_PATH =
  'a path without empty and dot segments, with percent-escapes in normal form only (RFC 3986 section 6.2.2)'

/** A percent-escape; the percent sign alone where two capital hex digits do not follow. */
const ESCAPE = /%(?:[0-9A-F]{2})?/g
/** Characters whose escape is not the normal form. @see RFC 3986 section 2.3 */
const UNRESERVED = /^[A-Za-z0-9._~-]$/
/** A server that decodes these before it splits the path finds other segments. */
const SEPARATOR = /[\p{Cc}%/\\]/u
/** Characters that some servers convert to a slash or a backslash ("best fit"). */
const SLASH_LIKE = /[\u2044\u2215\u2216\u29f5\u29f8\u29f9]/
const DOTS = /^[.\u3002]+$/
/** Invisible characters, which some servers remove. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu

function isNormalEscape(text: string): boolean {
  if (text.length !== 3) return false
  const code = Number.parseInt(text.slice(1), 16)
  return code >= 0x80 || !UNRESERVED.test(String.fromCharCode(code))
}

/** Decodes a segment. `undefined`: an escape is not in its normal form. */
function decodeSegment(segment: string): string | undefined {
  if (!(segment.match(ESCAPE) ?? []).every(isNormalEscape)) return undefined
  try {
    // This function rejects overlong forms, surrogates and incomplete sequences.
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** The text that a server may compare: without compatibility forms and invisible characters. */
const toComparedText = (text: string) => text.normalize('NFKC').replace(INVISIBLE, '')

const countSemicolons = (text: string) => text.split(';').length

function isUnambiguous(segment: string): boolean {
  const decoded = decodeSegment(segment)
  if (decoded === undefined || SLASH_LIKE.test(decoded)) return false
  const text = toComparedText(decoded)
  if (SEPARATOR.test(text) || countSemicolons(text) !== countSemicolons(segment)) return false
  // Some servers remove path parameters, and white space at both ends.
  const [name = ''] = text.split(';')
  return name !== '' && name === name.trim() && !DOTS.test(name)
}

/** Tells whether every server reads the path of the URL as the broker does. */
export function hasUnambiguousPath({ pathname }: URL): boolean {
  const segments = pathname.slice(1).split('/')
  if (segments.at(-1) === '') segments.pop()
  return segments.every(isUnambiguous)
}

function foldSegment(segment: string): string {
  const [name = ''] = toComparedText(decodeSegment(segment) ?? segment).split(/[;?#]/)
  return name.replace(/[.\s]+$/, '').toLowerCase()
}

/**
 * Folds a path as the least exact server does: without path parameters, trailing dots and white space, and
 * without regard to case. Two paths with the same folded path may be the same resource.
 *
 * @returns The path with a slash at its end.
 */
export function foldPath({ pathname }: URL): string {
  const path = pathname.replace(/\/$/, '')
  return `${path.split('/').map(foldSegment).join('/')}/`
}
