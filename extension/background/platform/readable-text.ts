/**
 * Detects deceptive characters in text from outside (names and descriptions of operators, reasons of pages)
 * that the broker's screens show to the user.
 *
 * Border: it does not change the text. The caller rejects it.
 */

/**
 * Control characters, which are invisible, and bidirectional marks, which change the order of the text
 * around them.
 */
const DECEPTIVE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** Tells whether a text has no deceptive character. */
export const isReadableText = (text: string): boolean => !DECEPTIVE.test(text)
