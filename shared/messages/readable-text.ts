/**
 * Checks and repairs foreign text: names and descriptions of operators, reasons of pages, words of servers. Such
 * text can deceive a user who reads it in a screen of the broker. It can hide characters, reverse the order of
 * the text around it, end the quotation that it stands in, or paint over other lines with stacked marks.
 *
 * The borders (parameters of pages, operator profiles) reject text that is not readable. A screen repairs all
 * foreign text once more, since some of it has passed no border: `extension/ui/foreign-text.tsx`.
 *
 * @see Unicode Standard Annex #44 (properties), Unicode Technical Report #36 section 2 (visual security)
 */

/** Expectation for the message of an error. */
export const READABLE_TEXT =
  'no control characters, no marks of direction, no invisible characters, and no stacks of combining marks'

/** Longest foreign text that a screen shows, in characters. */
const MAX_SHOWN = 200

/** In place of a text of which nothing is left. */
const UNREADABLE = '(not readable)'

/**
 * Characters that a reader cannot see (control characters, default ignorable ones, blanks that are no white
 * space), that have no meaning of their own (surrogates, private use), and that change the order of the text
 * (`\p{Default_Ignorable_Code_Point}` contains the marks of direction). The two joiners and the variation
 * selector of emoji have a rule of their own.
 */
const DECEPTIVE =
  /(?!\u200c|\u200d|\ufe0f)[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffc\u2800]/gu

/**
 * Joiners that join nothing. They are part of the spelling between letters without case (Persian, Hindi), and of
 * emoji. Elsewhere they are invisible.
 */
const USELESS_JOINER =
  /(?<![\p{Lo}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]|[\u200c\u200d](?![\p{Lo}\p{Extended_Pictographic}])|(?<!\p{Emoji})\ufe0f/gu

/** A mark without a letter before it is drawn over whatever stands there. */
const LOOSE_MARKS = /(?<=^|\s)\p{M}+/gu

/** Marks on one letter. The marks of any script (Vietnamese, Arabic) need two, those of one script (Burmese) five. */
const MARKS = /\p{M}{3,}/gu
const MARK_OF_ANY_SCRIPT = /\p{Script=Inherited}|\p{Me}/u
const MAX_MARKS_OF_ANY_SCRIPT = 2
const MAX_MARKS = 5

/** Marks that end a quotation, or look like the end. */
const QUOTATION_MARKS = /["\u00ab\u00bb\u201c-\u201f\u2033\u2036\u275d\u275e\u301d-\u301f\uff02]/gu

function limitMarks(marks: string): string {
  let left = MAX_MARKS_OF_ANY_SCRIPT
  return [...marks]
    .filter((mark) => !MARK_OF_ANY_SCRIPT.test(mark) || left-- > 0)
    .slice(0, MAX_MARKS)
    .join('')
}

function removeDeception(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(DECEPTIVE, '')
    .replaceAll(USELESS_JOINER, '')
    .replaceAll(LOOSE_MARKS, '')
    .replaceAll(MARKS, limitMarks)
}

/** Tells whether a text has nothing that deceives its reader. */
export const isReadableText = (text: string): boolean =>
  removeDeception(text) === text.normalize('NFC')

/** Cuts a text, never within a character, and not after a joiner. */
function cutText(text: string, maxLength: number): string {
  const characters = [...text]
  if (characters.length <= maxLength) return text
  return `${characters
    .slice(0, maxLength - 1)
    .join('')
    .replace(/[\s\u200c\u200d]+$/u, '')}…`
}

/**
 * Repairs a foreign text for a screen: one line that stays in its quotation.
 *
 * @param maxLength In characters. Default: 200. A sentence of the broker around foreign names may have more.
 */
export function toReadableText(text: string, maxLength = MAX_SHOWN): string {
  let line = text
  let before: string
  // What is left after a removal may have to be removed too. No round makes the text longer.
  do {
    before = line
    line = removeDeception(line.replaceAll(/\s+/gu, ' ')).replaceAll(QUOTATION_MARKS, '’').trim()
  } while (line !== before)
  return cutText(line, maxLength) || UNREADABLE
}
