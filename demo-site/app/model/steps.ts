/** Derives the four steps from a stuttering stream to a steady stream from the state of the page. */

import type { Activity, BrokerState } from './state.ts'

export type StepState = 'waiting' | 'current' | 'busy' | 'done' | 'failed'

export interface Step {
  name: 'find' | 'connect' | 'boost' | 'play'
  title: string
  state: StepState
  detail: string
}

export interface StepsInput {
  broker: BrokerState['kind']
  brokerName: string | undefined
  connected: boolean
  boosted: boolean
  activity: Activity | undefined
  /** Activity that failed last, until the next activity starts. */
  failed: Activity | undefined
}

/** Pure function; the table in its test is the specification. */
export function stepsOf(input: StepsInput): Step[] {
  return [
    describeFindStep(input),
    describeConnectStep(input),
    describeBoostStep(input),
    describePlayStep(input),
  ]
}

function describeFindStep({ broker, brokerName }: StepsInput): Step {
  const step = { name: 'find', title: 'Find your broker' } as const
  switch (broker) {
    case 'searching':
      return { ...step, state: 'busy', detail: 'Asking whether there is one …' }
    case 'found':
      return { ...step, state: 'done', detail: `${brokerName} is here` }
    case 'missing':
      return { ...step, state: 'failed', detail: 'None answered on this site' }
    case 'gone':
      return { ...step, state: 'failed', detail: 'It went away' }
  }
}

function describeConnectStep({ broker, connected, activity, failed }: StepsInput): Step {
  const step = { name: 'connect', title: 'Connect' } as const
  if (broker !== 'found') return { ...step, state: 'waiting', detail: 'Your consent, once' }
  if (activity === 'connect') {
    return { ...step, state: 'busy', detail: 'Waiting for you in the other window …' }
  }
  if (activity === 'disconnect') return { ...step, state: 'busy', detail: 'Giving it back …' }
  if (connected) return { ...step, state: 'done', detail: 'Permission granted' }
  if (failed === 'connect') return { ...step, state: 'failed', detail: 'Not granted' }
  return { ...step, state: 'current', detail: 'Your consent, once' }
}

function describeBoostStep({ connected, boosted, activity, failed }: StepsInput): Step {
  const step = { name: 'boost', title: 'Boost' } as const
  if (!connected) return { ...step, state: 'waiting', detail: 'A priority session' }
  if (activity === 'boost') return { ...step, state: 'busy', detail: 'Asking the network …' }
  if (boosted) return { ...step, state: 'done', detail: 'Priority session is on' }
  if (failed === 'boost') return { ...step, state: 'failed', detail: 'Not set up' }
  return { ...step, state: 'current', detail: 'A priority session' }
}

function describePlayStep({ boosted }: StepsInput): Step {
  return {
    name: 'play',
    title: 'Play',
    state: boosted ? 'current' : 'waiting',
    detail: boosted ? 'Full picture, every frame' : 'Without the stutter',
  }
}
