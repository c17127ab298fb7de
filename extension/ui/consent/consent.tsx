/**
 * The consent window asks one question: may this origin use these APIs of this operator, and until
 * when. The origin stands in full; the application's name never takes its place.
 */

import { useEffect, useState } from 'preact/hooks'
import type { ConsentRequest, Lifetime } from '../../../shared/messages/screen-channel.ts'
import type { ScreenClient } from '../screen-client.ts'
import { purposeInWords } from './purpose.ts'
import { useArmed } from './use-armed.ts'

const LIFETIMES: { value: Lifetime; label: string }[] = [
  { value: 'session', label: 'Until I close the browser' },
  { value: 'day', label: 'For 24 hours' },
  { value: 'month', label: 'For 30 days' },
]

interface Props {
  client: ScreenClient
  flowId: string
}

type State =
  | { status: 'loading' }
  | { status: 'gone' }
  | { status: 'asking'; request: ConsentRequest }
  | { status: 'leaving'; request: ConsentRequest }

export function Consent({ client, flowId }: Props) {
  const [state, setState] = useState<State>({ status: 'loading' })

  useEffect(() => {
    client.ask('getConsentRequest', { flowId }).then(
      (request) => setState(request ? { status: 'asking', request } : { status: 'gone' }),
      () => setState({ status: 'gone' }),
    )
  }, [client, flowId])

  if (state.status === 'loading') return <p class="quiet">Loading …</p>
  if (state.status === 'gone') {
    return (
      <section class="card">
        <h1>This request is over</h1>
        <p>The page took it back, or it was answered already. You can close this window.</p>
      </section>
    )
  }
  const { request } = state
  if (state.status === 'leaving') {
    return (
      <section class="card" aria-live="polite">
        <h1>Opening the sign-in of {request.operatorName} …</h1>
        <p>Check the address there before you type a password.</p>
        <div class="progress" />
      </section>
    )
  }
  return (
    <Question
      request={request}
      onDeny={() => void client.ask('deny', { flowId })}
      onAllow={(apis, lifetime) => {
        setState({ status: 'leaving', request })
        void client.ask('approve', { flowId, apis, lifetime })
      }}
    />
  )
}

interface QuestionProps {
  request: ConsentRequest
  onAllow(apis: string[], lifetime: Lifetime): void
  onDeny(): void
}

function Question({ request, onAllow, onDeny }: QuestionProps) {
  const [left, setLeft] = useState<string[]>(request.apis.map(({ resource }) => resource))
  const [lifetime, setLifetime] = useState<Lifetime>('day')
  const armed = useArmed()
  const several = request.apis.length > 1

  function toggle(resource: string): void {
    setLeft(left.includes(resource) ? left.filter((r) => r !== resource) : [...left, resource])
  }

  function onSubmit(event: SubmitEvent): void {
    event.preventDefault()
    if (event.isTrusted && armed && left.length > 0) onAllow(left, lifetime)
  }

  return (
    <form onSubmit={onSubmit}>
      <header>
        <p class="origin" data-testid="consent-origin">
          {request.origin}
        </p>
        <h1>
          Allow <q>{request.applicationName}</q> to use your {request.operatorName} network?
        </h1>
        {request.reason && (
          <p class="reason">
            The site says: <q>{request.reason}</q>
          </p>
        )}
      </header>

      <ul class="apis">
        {request.apis.map((api) => (
          <li key={api.resource} class="card">
            <div class="api">
              {several && (
                <input
                  id={api.resource}
                  type="checkbox"
                  checked={left.includes(api.resource)}
                  onChange={() => toggle(api.resource)}
                />
              )}
              <label for={several ? api.resource : undefined}>
                <strong>{api.name}</strong>
                {api.description && <span class="quiet">{api.description}</span>}
              </label>
            </div>
            <ul class="scopes">
              {api.scopes.map((scope) => (
                <li key={scope}>{scope}</li>
              ))}
            </ul>
            {api.purpose && <p class="quiet">Why: {purposeInWords(api.purpose)}.</p>}
          </li>
        ))}
      </ul>

      <p class="card quiet">
        {request.mode === 'fetch'
          ? 'Northkey makes the calls. The site sees the answers, never the key.'
          : 'The site gets a short-lived key and can use it by itself until the key expires.'}
      </p>

      <fieldset>
        <legend>How long</legend>
        {LIFETIMES.map(({ value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name="lifetime"
              value={value}
              checked={lifetime === value}
              onChange={() => setLifetime(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>

      <footer>
        <button type="button" onClick={onDeny} data-testid="deny">
          Don’t allow
        </button>
        <button
          type="submit"
          class="primary"
          disabled={!armed || left.length === 0}
          data-testid="allow"
        >
          Allow
        </button>
      </footer>
    </form>
  )
}
