/** The state machine of a flow. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AwaitingRequestUri,
  type FlowEvent,
  type FlowState,
  NorthkeyError,
  transition,
} from '../../../shared/core/index.ts'
import { closedNetwork, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { begin, redirectOf, TOKEN_RESPONSE } from '../support/fixtures.ts'

/** The state machine without its types, as a manipulated store could drive it. */
const step = transition as (state: FlowState, event: FlowEvent) => FlowState

const tokens = {
  accessToken: TOKEN_RESPONSE.access_token,
  tokenType: 'Bearer' as const,
  expiresAtMs: START + 600_000,
  scope: 'qos',
  singleUse: false,
}

const error = new NorthkeyError('network_error', 'x').toJSON()

async function start() {
  const flow = await begin(closedNetwork())
  const pending: AwaitingRequestUri = { ...flow, name: 'awaitingRequestUri' }
  return { flow, pending, url: redirectOf(flow) }
}

type Name = FlowState['name']
const NEXT: Record<Name, Partial<Record<FlowEvent['type'], Name>>> = {
  awaitingRequestUri: {
    requestUriReceived: 'awaitingAuthorizationResponse',
    failed: 'failed',
    resumed: 'failed',
  },
  awaitingAuthorizationResponse: {
    redirectReceived: 'readyToRedeem',
    failed: 'failed',
    resumed: 'awaitingAuthorizationResponse',
  },
  readyToRedeem: { codeSent: 'awaitingTokenResponse', failed: 'failed', resumed: 'readyToRedeem' },
  awaitingTokenResponse: { tokensReceived: 'authorized', failed: 'failed', resumed: 'failed' },
  authorized: {},
  failed: {},
}

async function oneOfEach() {
  const { pending, url } = await start()
  const events: FlowEvent[] = [
    { type: 'requestUriReceived' },
    { type: 'redirectReceived', url, now: START },
    { type: 'codeSent', now: START },
    { type: 'tokensReceived', tokens },
    { type: 'failed', error },
    { type: 'resumed', now: START },
  ]
  const states: FlowState[] = [pending]
  for (const event of events.slice(0, 4)) states.push(step(states.at(-1) as FlowState, event))
  states.push(step(pending, { type: 'failed', error }))
  return { states, events }
}

describe('the flow as a state machine', () => {
  test('every pair of a state and an event is a transition or an internal error', async () => {
    const { states, events } = await oneOfEach()
    expect(states.map(({ name }) => name)).toEqual(Object.keys(NEXT))
    for (const state of states) {
      for (const event of events) {
        const expected = NEXT[state.name][event.type]
        if (expected === undefined) {
          expect((await failure(() => step(state, event))).code).toBe('internal_error')
        } else expect(step(state, event).name).toBe(expected)
      }
    }
  })

  test('a state has only its own data: the verifier until the code is sent, the callback URL until then', async () => {
    const { states } = await oneOfEach()
    const has = (name: string) => states.filter((state) => name in state).map((state) => state.name)
    expect(has('codeVerifier')).toEqual([
      'awaitingRequestUri',
      'awaitingAuthorizationResponse',
      'readyToRedeem',
    ])
    expect(has('state')).toEqual(has('codeVerifier'))
    expect(has('callbackUrl')).toEqual(['readyToRedeem'])
    expect(has('tokens')).toEqual(['authorized'])
    expect(has('error')).toEqual(['failed'])
  })

  test('a transition does not modify its arguments', async () => {
    const { pending, url } = await start()
    const frozen = Object.freeze({ ...pending })
    const before = JSON.stringify(frozen)
    const waiting = Object.freeze(step(frozen, { type: 'requestUriReceived' }))
    step(waiting, { type: 'redirectReceived', url, now: START })
    expect(JSON.stringify(frozen)).toBe(before)
  })

  test('for any events in any order, with restarts in between, a code is sent at most once and only with the right state', async () => {
    const { pending, url, flow } = await start()
    const wrong = redirectOf(flow, { state: 'another' })
    const late = flow.deadlineMs + 1
    const event = fc.constantFrom<FlowEvent>(
      { type: 'requestUriReceived' },
      { type: 'redirectReceived', url, now: START },
      { type: 'redirectReceived', url: wrong, now: START },
      { type: 'redirectReceived', url, now: late },
      { type: 'codeSent', now: START },
      { type: 'codeSent', now: late },
      { type: 'tokensReceived', tokens },
      { type: 'failed', error },
      { type: 'resumed', now: START },
      { type: 'resumed', now: late },
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let state: FlowState = pending
        let sent = 0
        for (const next of events) {
          // Between any two steps the program may restart and read the stored state.
          const written: FlowState = JSON.parse(JSON.stringify(state))
          try {
            state = step(written, next)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(NorthkeyError)
            continue
          }
          if (next.type === 'codeSent' && state.name === 'awaitingTokenResponse') sent++
          if (next.type === 'redirectReceived' && next.url === wrong) {
            expect(state.name).toBe('failed')
          }
          if (state.name === 'readyToRedeem') expect(state.callbackUrl).toBe(url)
        }
        expect(sent).toBeLessThanOrEqual(1)
        if (state.name === 'authorized') expect(sent).toBe(1)
      }),
      { numRuns: 500 },
    )
  })

  test('a flow that was interrupted after sending the code has failed, and the code is not sent again', async () => {
    const { pending, url } = await start()
    const waiting = step(pending, { type: 'requestUriReceived' })
    const ready = step(waiting, { type: 'redirectReceived', url, now: START })
    const sent = step(ready, { type: 'codeSent', now: START })
    expect(step(sent, { type: 'resumed', now: START })).toMatchObject({
      name: 'failed',
      error: { code: 'flow_interrupted' },
    })
  })

  test.each(['awaitingAuthorizationResponse', 'readyToRedeem'])(
    'a flow that is resumed in %s after its deadline has failed',
    async (name) => {
      const { states } = await oneOfEach()
      const state = states.find((candidate) => candidate.name === name) as FlowState
      const now = START + 601_000
      expect(step(state, { type: 'resumed', now })).toMatchObject({
        name: 'failed',
        error: { code: 'flow_expired' },
      })
    },
  )
})
