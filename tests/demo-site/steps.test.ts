/** Four steps of the page; this table is their specification. */

import { describe, expect, test } from 'vitest'
import { type StepState, type StepsInput, stepsOf } from '../../demo-site/app/model/steps.ts'

const found: StepsInput = {
  broker: 'found',
  brokerName: 'Northkey',
  connected: false,
  boosted: false,
  activity: undefined,
  failed: undefined,
}
const connected: StepsInput = { ...found, connected: true }
const boosted: StepsInput = { ...connected, boosted: true }

const TABLE: [string, StepsInput, [StepState, StepState, StepState, StepState]][] = [
  [
    'looking for a broker',
    { ...found, broker: 'searching' },
    ['busy', 'waiting', 'waiting', 'waiting'],
  ],
  ['no broker', { ...found, broker: 'missing' }, ['failed', 'waiting', 'waiting', 'waiting']],
  [
    'the broker went away',
    { ...found, broker: 'gone' },
    ['failed', 'waiting', 'waiting', 'waiting'],
  ],
  ['a broker was found', found, ['done', 'current', 'waiting', 'waiting']],
  ['connecting', { ...found, activity: 'connect' }, ['done', 'busy', 'waiting', 'waiting']],
  ['connecting failed', { ...found, failed: 'connect' }, ['done', 'failed', 'waiting', 'waiting']],
  ['connected', connected, ['done', 'done', 'current', 'waiting']],
  ['boosting', { ...connected, activity: 'boost' }, ['done', 'done', 'busy', 'waiting']],
  ['boosting failed', { ...connected, failed: 'boost' }, ['done', 'done', 'failed', 'waiting']],
  ['boosted', boosted, ['done', 'done', 'done', 'current']],
  ['disconnecting', { ...boosted, activity: 'disconnect' }, ['done', 'busy', 'done', 'current']],
]

describe('stepsOf', () => {
  test.each(TABLE)('%s', (_name, input, states) => {
    expect(stepsOf(input).map(({ state }) => state)).toEqual(states)
  })

  test('a running step has a text for the event that it waits for', () => {
    const [, connect] = stepsOf({ ...found, activity: 'connect' })
    expect(connect?.detail).toContain('Waiting for you')
  })
})
