/** The last error in plain words, its number for those who ask for it, and the way on. */

import { errorText, type NextAction } from '../model/error-texts.ts'
import type { FailedActivity } from '../model/state.ts'
import type { Store } from '../model/store.ts'
import { Button } from './button.tsx'

interface Way {
  label: string
  go(store: Store): void
}

const WAYS: Record<Exclude<NextAction, 'none'>, Way> = {
  retry: { label: 'Try again', go: (store) => store.retry() },
  connect: { label: 'Connect', go: (store) => store.connect() },
  discover: { label: 'Look again', go: (store) => store.discover() },
  reload: { label: 'Load the page again', go: () => location.reload() },
}

export function ErrorNotice({ store, failed }: { store: Store; failed: FailedActivity }) {
  const { code, data } = failed.failure
  const { title, explanation, nextStep, action } = errorText(code ?? 0, data)
  const way = action === 'none' ? undefined : WAYS[action]
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
      {way && (
        <Button kind="plain" testId="error-action" onClick={() => way.go(store)}>
          {way.label}
        </Button>
      )}
    </section>
  )
}
