/**
 * Shows foreign text: words of a page, an operator, a profile file or a server. The text is repaired, its direction
 * is isolated, and its box clips what the glyphs paint outside of it. So it can neither leave its place nor change
 * what the broker itself says beside it.
 *
 * Border: `shared/messages/readable-text.ts` has the rules of the text. In an attribute, such as `aria-label`,
 * there is nothing to clip: use `toReadableText` itself.
 */

import { toReadableText } from '../../shared/messages/readable-text.ts'

export function ForeignText({ text }: { text: string }) {
  return <bdi class="foreign">{toReadableText(text)}</bdi>
}
