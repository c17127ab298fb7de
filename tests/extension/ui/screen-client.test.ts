/**
 * Tests the requests of a screen to a worker that the browser stops: the browser then gives `undefined` for the
 * answer, or an error.
 *
 * Seen to fail when an answer that is `undefined` counts as the result (the consent window said that its request
 * was over, and stayed open), when errors of the background are sent again, and when a request that must not run
 * twice is sent again.
 */

import { beforeEach, describe, expect, test, vi } from 'vitest'
import fake from '../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../support/fake-browser.ts'))
vi.mock('../../../extension/limits.ts', async (original) => ({
  ...(await original<object>()),
  SCREEN_RESEND_PAUSE_MS: 0,
}))

const { screenClient } = await import('../../../extension/ui/screen-client.ts')

const STOPPED = new Error('Could not establish connection.')
const sent: object[] = []
let answers: unknown[] = []

beforeEach(() => {
  sent.length = 0
  answers = []
  Object.assign(fake.runtime, {
    async sendMessage(message: object) {
      sent.push(message)
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return answer
    },
  })
})

const flowId = 'f'

describe('a request of a screen', () => {
  test.each([
    ['undefined', undefined],
    ['an error of the browser', STOPPED],
  ])('L06: is sent again when the answer is %s, until a worker answers', async (_, lost) => {
    answers = [lost, lost, { result: null }]
    expect(await screenClient.sendRequest('getConsentRequest', { flowId })).toBe(null)
    const message = { type: 'screenRequest', method: 'getConsentRequest', params: { flowId } }
    expect(sent).toEqual([message, message, message])
  })

  test('without a result is answered by an object', async () => {
    answers = [{}]
    expect(await screenClient.sendRequest('deny', { flowId })).toBe(undefined)
    expect(sent).toHaveLength(1)
  })

  test('fails with the message of the background, and is not sent again', async () => {
    answers = [{ error: 'file: expected JSON' }, { result: {} }]
    await expect(screenClient.sendRequest('checkOperator', { text: '' })).rejects.toThrow(
      'file: expected JSON',
    )
    expect(sent).toHaveLength(1)
  })

  test('that must not run twice is sent once', async () => {
    answers = [undefined, { result: {} }]
    await expect(screenClient.sendRequest('addOperator', { text: '{}' })).rejects.toThrow(
      'Northkey did not answer',
    )
    expect(sent).toHaveLength(1)
  })

  test('fails after five attempts', async () => {
    await expect(screenClient.sendRequest('listGrants', {})).rejects.toThrow('did not answer')
    expect(sent).toHaveLength(5)
  })
})
