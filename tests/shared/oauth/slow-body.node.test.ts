/** Timeout of a request whose body arrives slowly, with a simulated clock (of vitest, so in Node alone). */

import { expect, onTestFinished, test, vi } from 'vitest'
import { redeemCode } from '../../../shared/core/index.ts'
import { closedNetwork } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { redeemable, TOKEN_ENDPOINT } from '../support/fixtures.ts'

test('N05: the timeout applies to the entire body, also if it arrives one octet at a time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const drip = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await vi.advanceTimersByTimeAsync(5)
      controller.enqueue(new Uint8Array([0x20]))
    },
  })
  const network = closedNetwork({ timeoutMs: 60 }).on(
    TOKEN_ENDPOINT,
    new Response(drip, { headers: { 'content-type': 'application/json' } }),
  )
  expect((await failure(redeemCode(await redeemable(network), network))).code).toBe('timeout')
})
