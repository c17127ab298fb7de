/**
 * Tests the `Response` of a call: it reads like that of the platform's `fetch`, and the whole body is taken without a copy.
 *
 * Seen to fail when a body can be read twice, when a read body does not count as used, and when the methods of the
 * platform are left in place (another buffer).
 *
 * @see Fetch Standard, section "Body mixin"
 */

import { describe, expect, test } from 'vitest'
import { toResponse } from '../../../shared/page/response.ts'

const encode = (text: string) => new TextEncoder().encode(text).buffer

function respond(text = '{"a":1}', status = 200): { response: Response; body: ArrayBuffer } {
  const body = encode(text)
  const headers: [string, string][] = [['content-type', 'application/json']]
  const result = { url: 'https://api.example/v1', status, statusText: 'OK', headers, body }
  return { response: toResponse(result), body }
}

type Reader = 'arrayBuffer' | 'text' | 'json' | 'blob'
const READERS: Reader[] = ['arrayBuffer', 'text', 'json', 'blob']

describe('W05: the response of a call', () => {
  test('has the members of a response', () => {
    const { response } = respond('', 404)
    expect(response).toBeInstanceOf(Response)
    expect(response).toMatchObject({ status: 404, ok: false, url: 'https://api.example/v1' })
    expect(response.headers.get('content-type')).toBe('application/json')
  })

  test('gives the whole body without a copy', async () => {
    const { response, body } = respond()
    expect(await response.arrayBuffer()).toBe(body)
    expect(response.bodyUsed).toBe(true)
  })

  test('is read as text, as JSON and as a blob like that of the platform', async () => {
    const texts = ['{"a":1}', '\ufeff{"a":1}', '"\u00e4"']
    for (const text of texts) {
      const { body } = respond(text)
      const headers = { 'content-type': 'application/json' }
      const platform = () => new Response(body.slice(0), { headers })
      expect(await respond(text).response.text()).toBe(await platform().text())
      expect(await respond(text).response.json()).toEqual(await platform().json())
      const [blob, expected] = [await respond(text).response.blob(), await platform().blob()]
      expect([blob.type, await blob.text()]).toEqual([expected.type, await expected.text()])
    }
    await expect(respond('no JSON').response.json()).rejects.toThrow(SyntaxError)
  })

  test.each(READERS.flatMap((first) => READERS.map((second) => [first, second] as const)))(
    'is read once: by %s, and not by %s after that',
    async (first, second) => {
      const { response } = respond()
      const reading = response[first]()
      expect(response.bodyUsed).toBe(true)
      await expect(response[second]()).rejects.toThrow(TypeError)
      await reading
    },
  )

  test('is not read as a whole while its stream is', async () => {
    const { response } = respond()
    const reader = response.body?.getReader()
    await expect(response.text()).rejects.toThrow(TypeError)
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('{"a":1}')
    expect(await reader?.read()).toMatchObject({ done: true })
  })

  test('is read twice by means of a clone', async () => {
    const { response } = respond()
    const clone = response.clone()
    expect([await response.text(), await clone.text()]).toEqual(['{"a":1}', '{"a":1}'])
  })

  test('of no octets is empty', async () => {
    expect(await respond('').response.text()).toBe('')
    expect((await respond('').response.arrayBuffer()).byteLength).toBe(0)
    const reader = respond('').response.body?.getReader()
    expect(await reader?.read()).toMatchObject({ done: true })
  })

  test.each([204, 205, 304])('with status %i has no body', async (status) => {
    const { response } = respond('', status)
    expect(response.body).toBeNull()
    expect(await response.text()).toBe('')
  })
})
