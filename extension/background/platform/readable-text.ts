/** Text of others that a user is to judge. */

/** Characters that no reader sees or that turn the text around them. */
const DECEPTIVE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

export const isReadableText = (text: string): boolean => !DECEPTIVE.test(text)
