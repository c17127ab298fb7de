/**
 * Button that keeps the focus while its action runs: it uses `aria-disabled` instead of `disabled`, which would move
 * the keyboard focus to the top of the page.
 */

import type { ComponentChildren } from 'preact'

export interface ButtonProps {
  kind: 'primary' | 'plain' | 'quiet'
  testId: string
  busy?: boolean
  disabled?: boolean
  label?: string
  sessionId?: string
  onClick(): void
  children: ComponentChildren
}

export function Button(props: ButtonProps) {
  const {
    kind,
    testId,
    busy = false,
    disabled = false,
    label,
    sessionId,
    onClick,
    children,
  } = props
  return (
    <button
      type="button"
      class={`button button-${kind}`}
      data-testid={testId}
      data-session-id={sessionId}
      aria-label={label}
      aria-disabled={disabled}
      aria-busy={busy}
      onClick={() => {
        if (!disabled) onClick()
      }}
    >
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  )
}
