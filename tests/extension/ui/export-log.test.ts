/** Tests the JSON file of the exported log. */

import { describe, expect, test } from 'vitest'
import { formatLog } from '../../../extension/ui/sites/export-log.ts'

describe('the log as a file', () => {
  test('is JSON, oldest entry first, with ISO 8601 times', () => {
    const api = { resource: 'https://api.example', scope: 'a' }
    const text = formatLog([
      { at: 2_000, until: 3_000, times: 2, event: 'call', outcome: 'GET 200', apis: [api] },
      { at: 1_000, event: 'grant', outcome: 'granted', origin: 'https://a.example' },
    ])
    expect(JSON.parse(text)).toEqual([
      {
        at: '1970-01-01T00:00:01.000Z',
        event: 'grant',
        outcome: 'granted',
        origin: 'https://a.example',
      },
      {
        at: '1970-01-01T00:00:02.000Z',
        until: '1970-01-01T00:00:03.000Z',
        times: 2,
        event: 'call',
        outcome: 'GET 200',
        apis: [api],
      },
    ])
    expect(text.endsWith('\n')).toBe(true)
  })
})
