/**
 * Shows foreign text: words of a page, an operator, a profile file or a server. The text is repaired, its direction
 * is isolated, and its box clips what the glyphs paint outside of it. So it can neither leave its place nor change
 * what the broker itself says beside it.
 *
 * Border: `shared/messages/readable-text.ts` has the rules of the text. In an attribute, such as `aria-label`,
 * there is nothing to clip: use `toReadableText` itself.
 */

import { toReadableText } from '../../shared/messages/readable-text.ts'

/** @param maxLength Longest text that is shown, in characters, where it is not the usual one. */
export function ForeignText({ text, maxLength }: { text: string; maxLength?: number }) {
  return <bdi class="foreign">{toReadableText(text, maxLength)}</bdi>
}
