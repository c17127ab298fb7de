/**
 * The check for plain data.
 *
 * Seen to fail when: only the first level is checked, or cyclic values are checked without a limit.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPlain } from '../../../shared/messages/plain-data.ts'

const cyclic: Record<string, unknown> = {}
cyclic.own = cyclic

describe('plain data', () => {
  test('is JSON values and ArrayBuffers', () => {
    const value = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
      node: fc.oneof(
        { depthSize: 'small', maxDepth: 2 },
        tie('leaf'),
        fc.array(tie('node')),
        fc.dictionary(fc.string(), tie('node')),
      ),
    })).node
    fc.assert(fc.property(value, (plain) => isPlain(plain)))
    expect(isPlain({ body: new ArrayBuffer(8), bytes: [new ArrayBuffer(0)] })).toBe(true)
    expect(isPlain(undefined)).toBe(true)
  })

  test.each([
    ['a function', () => {}],
    ['a Map', new Map()],
    ['a Date', new Date()],
    ['a view of bytes', new Uint8Array(1)],
    ['shared bytes', new SharedArrayBuffer(1)],
    ['a Blob', new Blob([])],
    ['an error', new Error('x')],
    ['what has no end', cyclic],
  ])('is not %s', (_, value) => {
    expect(isPlain(value)).toBe(false)
    expect(isPlain({ member: [value] })).toBe(false)
  })
})
