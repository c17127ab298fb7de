/** Shows the last error: its text, its code, and a button for the next step. */

import { errorText, type NextAction } from '../model/error-texts.ts'
import type { FailedActivity } from '../model/state.ts'
import type { Store } from '../model/store.ts'
import { Button } from './button.tsx'

interface ErrorAction {
  label: string
  run(store: Store): void
}

const ERROR_ACTIONS: Record<Exclude<NextAction, 'none'>, ErrorAction> = {
  retry: { label: 'Try again', run: (store) => store.retry() },
  connect: { label: 'Connect', run: (store) => store.connect() },
  discover: { label: 'Look again', run: (store) => store.discover() },
  reload: { label: 'Load the page again', run: () => location.reload() },
}

export function ErrorNotice({ store, failed }: { store: Store; failed: FailedActivity }) {
  const { code, data } = failed.failure
  const { title, explanation, nextStep, action } = errorText(code ?? 0, data)
  const errorAction = action === 'none' ? undefined : ERROR_ACTIONS[action]
  return (
    <section class="error" role="alert" data-testid="error">
      <svg class="error-sign" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 3.500 21.500 20h-19zM12 10v4.500M12 17v.2" />
      </svg>
      <div class="error-words">
        <h2 data-testid="error-title">{title}</h2>
        <p>{explanation}</p>
        <p class="error-next">{nextStep}</p>
        <p class="error-facts">
          <span data-testid="error-code">{code ?? 'none'}</span>
          <span data-testid="error-name">{data.error}</span>
          {data.httpStatus !== undefined && <span>HTTP {data.httpStatus}</span>}
        </p>
      </div>
      {errorAction && (
        <Button kind="plain" testId="error-action" onClick={() => errorAction.run(store)}>
          {errorAction.label}
        </Button>
      )}
    </section>
  )
}
