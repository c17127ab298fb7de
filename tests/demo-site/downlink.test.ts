/** Measurement of the downlink, and the picture quality that follows it. */

import { describe, expect, test } from 'vitest'
import { formatRate, watchDownlink } from '../../demo-site/app/model/downlink.ts'
import {
  computePictureSize,
  PRIORITY,
  STANDARD,
  selectQuality,
} from '../../demo-site/app/stream/quality.ts'

/** Creates a stream; each chunk advances the clock. */
function createStream(chunks: [bytes: number, takesMs: number][]) {
  let nowMs = 0
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const chunk = chunks.shift()
        if (!chunk) return controller.close()
        nowMs += chunk[1]
        controller.enqueue(new Uint8Array(chunk[0]))
      },
    },
    { highWaterMark: 0 },
  )
  return { fetch: async () => new Response(body), now: () => nowMs }
}

async function collectReports(chunks: [number, number][]): Promise<(number | undefined)[]> {
  const reports: (number | undefined)[] = []
  const abort = new AbortController()
  await watchDownlink({
    url: 'http://a.example/stream',
    ...createStream(chunks),
    signal: abort.signal,
    report(rate) {
      reports.push(rate)
      if (rate === undefined) abort.abort()
    },
  })
  return reports
}

describe('watchDownlink', () => {
  test('counts the bytes of each window', async () => {
    const slow: [number, number][] = [
      [62_500, 250],
      [62_500, 250],
    ]
    const fast: [number, number][] = [[1_000_000, 500]]
    expect(await collectReports([...slow, ...fast])).toEqual([2_000_000, 16_000_000, undefined])
  })

  test('a stream that ends or fails is reported as undefined, and requested again', async () => {
    let attempts = 0
    const abort = new AbortController()
    await watchDownlink({
      url: 'http://a.example/stream',
      fetch: () => {
        attempts += 1
        if (attempts === 2) abort.abort()
        return Promise.reject(new TypeError('gone'))
      },
      now: () => 0,
      report: () => {},
      signal: abort.signal,
      pauseMs: 1,
    })
    expect(attempts).toBe(2)
  })

  test('rates are formatted in Mbit/s', () => {
    expect(formatRate(2_040_000)).toBe('2.0 Mbit/s')
    expect(formatRate(15_900_000)).toBe('16 Mbit/s')
  })
})

describe('the picture', () => {
  test.each([
    [false, undefined, STANDARD],
    [true, undefined, PRIORITY],
    [true, 2_000_000, STANDARD],
    [false, 16_000_000, PRIORITY],
    [true, 16_000_000, PRIORITY],
  ])('boosted: %s, measured: %s', (boosted, rate, quality) => {
    expect(selectQuality(boosted, rate)).toBe(quality)
  })

  test('is never larger than the stage can show or the session carries', () => {
    const stage = { width: 800, height: 400, pixelRatio: 2 }
    expect(computePictureSize(PRIORITY, stage)).toEqual({ width: 1600, height: 800 })
    expect(computePictureSize(STANDARD, stage)).toEqual({ width: 256, height: 128 })
    expect(computePictureSize(PRIORITY, { width: 0, height: 0, pixelRatio: 1 }).width).toBe(1)
  })
})
