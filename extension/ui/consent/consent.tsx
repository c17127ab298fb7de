/**
 * Shows the consent window, which asks one question: may this origin use these APIs of this operator, and
 * until when. It shows the full origin; the name of the application never replaces it.
 */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type {
  ApprovedApi,
  ConsentRequest,
  Lifetime,
} from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { focusHeading } from '../keep-focus.ts'
import { LIFETIMES } from '../lifetime.ts'
import type { ScreenClient } from '../screen-client.ts'
import { ApiChoice } from './api-choice.tsx'
import { useInertTime } from './use-inert-time.ts'

interface Props {
  client: ScreenClient
  flowId: string
}

type State =
  | { status: 'loading' }
  | { status: 'gone' }
  | { status: 'asking'; request: ConsentRequest }
  | { status: 'leaving'; request: ConsentRequest }
  | { status: 'failed' }

const INERT_HINT = 'Please read first: wait half a second after your last click or key.'
const NOTHING_SELECTED_HINT = 'Nothing is marked, so there is nothing to allow.'

export function Consent({ client, flowId }: Props) {
  const [state, setState] = useState<State>({ status: 'loading' })

  useEffect(() => {
    client.sendRequest('getConsentRequest', { flowId }).then(
      (request) => setState(request ? { status: 'asking', request } : { status: 'gone' }),
      () => setState({ status: 'failed' }),
    )
  }, [client, flowId])

  const showFailure = () => setState({ status: 'failed' })

  if (state.status === 'failed') {
    return (
      <section class="card" role="alert">
        <h1>Northkey did not answer</h1>
        <p>Nothing was allowed. Close this window and try again on the site.</p>
      </section>
    )
  }

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
  if (state.status === 'leaving') return <Leaving operatorName={request.operatorName} />
  return (
    <Question
      request={request}
      onDeny={() => void client.sendRequest('deny', { flowId }).catch(showFailure)}
      onAllow={(apis, lifetime) => {
        setState({ status: 'leaving', request })
        client
          .sendRequest('approve', { flowId, digest: request.digest, apis, lifetime })
          .catch(showFailure)
      }}
    />
  )
}

/** Moves the focus to the heading, since the pressed button is gone. Screen readers then read the heading. */
function Leaving({ operatorName }: { operatorName: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => focusHeading(heading.current), [])
  return (
    <section class="card">
      <h1 ref={heading}>
        Opening the sign-in of <ForeignText text={operatorName} /> …
      </h1>
      <p>Check the address there before you type a password.</p>
      <div class="progress" />
    </section>
  )
}

interface QuestionProps {
  request: ConsentRequest
  onAllow(apis: ApprovedApi[], lifetime: Lifetime): void
  onDeny(): void
}

function Question({ request, onAllow, onDeny }: QuestionProps) {
  const [selected, setSelected] = useState<ApprovedApi[]>(() =>
    request.apis.map(({ scopes }, index) => ({ index, scopes: scopes.map(({ scope }) => scope) })),
  )
  const [lifetime, setLifetime] = useState<Lifetime>('day')
  const { inert, isInert } = useInertTime()
  const allowButton = useRef<HTMLButtonElement>(null)
  const isAnySelected = selected.length > 0
  const hint = isAnySelected ? inert && INERT_HINT : NOTHING_SELECTED_HINT
  const choosable = request.apis.length > 1 || request.apis.some(({ scopes }) => scopes.length > 1)

  useEffect(() => {
    const onKeyDown = ({ key, isTrusted, repeat }: KeyboardEvent) => {
      if (key === 'Escape' && isTrusted && !repeat) onDeny()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])

  // A window that gets the focus again must not have it on the button that allows.
  useLayoutEffect(() => {
    if (inert) allowButton.current?.blur()
  }, [inert])

  function handleAllow({ isTrusted }: MouseEvent): void {
    if (isTrusted && !isInert() && isAnySelected) onAllow(selected, lifetime)
  }

  // No form: Enter in a field of a form presses its button.
  return (
    <>
      <header>
        <p class="origin" data-testid="consent-origin">
          {request.origin}
        </p>
        <h1>
          Let this site,{' '}
          <q>
            <ForeignText text={request.applicationName} />
          </q>
          , use your <ForeignText text={request.operatorName} /> network?
        </h1>
        <p class="quiet">
          You sign in at <code data-testid="sign-in-host">{request.signInHost}</code>
        </p>
        {request.reason && (
          <figure class="reason">
            <figcaption>The site says:</figcaption>
            <blockquote>
              <ForeignText text={request.reason} />
            </blockquote>
          </figure>
        )}
      </header>

      {choosable && <p class="quiet">You can allow less: take the marks away.</p>}
      <ul class="apis">
        {request.apis.map((api, index) => (
          <ApiChoice
            key={`${api.resource} ${api.purpose}`}
            api={api}
            name={`api${index}`}
            choosable={choosable}
            selected={selected.find((approved) => approved.index === index)?.scopes}
            onChange={(scopes) =>
              setSelected([
                ...selected.filter((approved) => approved.index !== index),
                ...(scopes ? [{ index, scopes }] : []),
              ])
            }
          />
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

      <footer class="deciding">
        <p id="hint" class="quiet" role="status">
          {hint}
        </p>
        <button type="button" onClick={onDeny} data-testid="deny">
          Don’t allow
        </button>
        <button
          ref={allowButton}
          type="button"
          class="primary"
          disabled={inert || !isAnySelected}
          onClick={handleAllow}
          aria-describedby="hint"
          data-testid="allow"
        >
          {inert ? 'Wait …' : 'Allow'}
        </button>
      </footer>
    </>
  )
}
