/** Shows the progress of the player through the four steps. */

import type { Step, StepState } from '../model/steps.ts'

const SPOKEN: Record<StepState, string> = {
  waiting: 'not yet',
  current: 'next',
  busy: 'in progress',
  done: 'done',
  failed: 'needs attention',
}

function Mark({ state, number }: { state: StepState; number: number }) {
  if (state === 'done') {
    return (
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="m6 12.500 4 4 8-9" />
      </svg>
    )
  }
  if (state === 'failed') {
    return (
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 6v7.500M12 17.500v.2" />
      </svg>
    )
  }
  if (state === 'busy') return <span class="spinner" aria-hidden="true" />
  return <span aria-hidden="true">{number}</span>
}

export function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol class="steps">
      {steps.map(({ name, title, state, detail }, index) => (
        <li
          key={name}
          class="step"
          data-testid="step"
          data-step={name}
          data-state={state}
          aria-current={state === 'current' || state === 'busy' ? 'step' : undefined}
        >
          <span class="step-mark">
            <Mark state={state} number={index + 1} />
          </span>
          <span class="step-title">{title}</span>
          <span class="visually-hidden"> ({SPOKEN[state]}): </span>
          <span class="step-detail">{detail}</span>
        </li>
      ))}
    </ol>
  )
}
