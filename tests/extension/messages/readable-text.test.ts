/**
 * Tests the check and the repair of foreign text.
 *
 * Seen to fail with the check of before, which knew control characters and marks of direction only: stacks of
 * marks, invisible characters and loose marks passed. Seen to fail when the repair leaves quotation marks, line
 * breaks or the length as they are.
 *
 * @see A11e of docs/conformance.md
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isReadableText, toReadableText } from '../../../shared/messages/readable-text.ts'

const STACK = '\u0335\u0336\u0337\u0338\u0489\u034d\u0316\u0331'.repeat(5)

const READABLE = {
  'plain words': 'Better video – 5 € a month, “HD”',
  'a decomposed Vietnamese word': 'Việt Nam'.normalize('NFD'),
  'Arabic with two marks on a letter': 'اللّٰه',
  'Persian with a joiner': 'می\u200cخواهم',
  'Hindi with a joiner': 'क्\u200dष',
  'Thai with vowel and tone': 'ที่นี่',
  'Burmese with five marks': 'လျှို့ဝှက်',
  'Hebrew with points': 'שָׁלוֹם',
  'a family of emoji': '👨‍👩‍👧 and 👩🏽‍🚀',
  'emoji with selectors': '❤️ 1️⃣ 👁️‍🗨️',
}

const DECEPTIVE = {
  'a stack of marks': `You sign in${STACK}`,
  'three marks on a letter': 'a\u0335\u0336\u0337b',
  'six marks of a script': 'က\u103b\u103d\u103e\u102d\u102f\u1037',
  'a mark at the beginning': '\u0338 site',
  'a mark after a space': 'a \u20dd',
  'a line break': 'a\nb',
  'a line separator': 'a\u2028b',
  'a tab': 'a\tb',
  'a right-to-left override': 'a\u202eb',
  'a right-to-left isolate': 'a\u2067b',
  'a right-to-left mark': 'a\u200fb',
  'a zero-width space': 'a\u200bb',
  'a joiner between Latin letters': 'pay\u200cpal',
  'joiners in a row': 'می\u200c\u200cخ',
  'a soft hyphen': 'a\u00adb',
  'a combining grapheme joiner': 'a\u034fb',
  'a Hangul filler': 'a\u3164b',
  'a blank Braille pattern': 'a\u2800b',
  'a tag character': 'a\u{e0041}b',
  'a variation selector': 'a\ufe00b',
  'a selector of emoji on a letter': 'a\ufe0fb',
  'a private character': 'a\ue000b',
  'half of a surrogate pair': 'a\ud800b',
  'an interlinear annotation': 'a\ufff9b',
}

describe('A11e: foreign text', () => {
  test.for(Object.entries(READABLE))('is readable: %s', ([, text]) => {
    expect(isReadableText(text)).toBe(true)
  })

  test.for(Object.entries(DECEPTIVE))('is not readable: %s', ([, text]) => {
    expect(isReadableText(text)).toBe(false)
  })

  test('is shown as it is where it is readable and has no quotation marks', () => {
    const { 'plain words': _, ...shown } = READABLE
    for (const text of Object.values(shown))
      expect(toReadableText(text)).toBe(text.normalize('NFC'))
  })

  test('is shown on one line, without what deceives, inside its quotation', () => {
    expect(toReadableText('fine”.\n\n\u00a0 “Your\u202e bank')).toBe('fine’. ’Your bank')
    expect(toReadableText(`say «x» "y" ${STACK}z`)).toBe('say ’x’ ’y’ z')
    expect(toReadableText(`a${STACK}`)).toBe('a\u0335\u0336')
    expect(toReadableText('x'.repeat(500))).toBe(`${'x'.repeat(199)}…`)
    expect(toReadableText('👩🏽‍🚀'.repeat(100))).toMatch(/^[^\ufffd]+…$/u)
    expect(toReadableText('\u200b\u202e\u3164')).toBe('(not readable)')
  })

  test('any text is shown readable, short, on one line and without quotation marks', () => {
    const nasty = fc.constantFrom(...Object.values(DECEPTIVE), ...Object.values(READABLE), '"', ' ')
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.array(nasty, { maxLength: 60 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (foreign) => {
        const shown = toReadableText(foreign)
        expect(isReadableText(shown)).toBe(true)
        expect(toReadableText(shown)).toBe(shown)
        expect([...shown].length).toBeLessThanOrEqual(200)
        expect(shown).not.toMatch(/[\n\r"“”«»]/u)
      }),
      { numRuns: 300 },
    )
  })
})
