/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/**
 * Renders the consent screen, where the subscriber as resource owner authorizes an application.
 * @see TS 23.222 clause 8.31
 */

import { Layout, type LayoutProps } from './layout.tsx'

export interface ConsentApi {
  title: string
  description: string
  scopes: { scope: string; description: string }[]
}

export interface ConsentProps extends Omit<LayoutProps, 'title' | 'screen' | 'children'> {
  action: string
  application: string
  clientId: string
  subscriber: { name: string; phoneNumber: string }
  apis: ConsentApi[]
  purpose?: string
  /** Whether the phone number stays hidden: neither the token nor a granted scope reveals it. */
  numberIsHidden: boolean
}

export function Consent(props: ConsentProps) {
  const { action, application, clientId, subscriber, apis, purpose, numberIsHidden, ...layout } =
    props
  return (
    <Layout {...layout} title="Allow access" screen="consent">
      <h1>Allow {application} to use your mobile network?</h1>
      <div class="who">
        <div class="avatar" aria-hidden="true">
          {application.slice(0, 1).toUpperCase()}
        </div>
        <div>
          <strong data-application>{application}</strong>
          <span>Known to us as {clientId}</span>
        </div>
      </div>
      <dl>
        {apis.map((api) => (
          <div key={api.title} data-api={api.title}>
            <dt>{api.title}</dt>
            <dd>
              {api.description}
              <ul class="access">
                {api.scopes.map(({ scope, description }) => (
                  <li key={scope} data-scope={scope}>
                    <Tick />
                    <span>It will be able to {description}.</span>
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        ))}
        <div>
          <dt>Purpose</dt>
          <dd data-purpose>{purpose ?? 'To provide the service that you asked it for'}</dd>
        </div>
        <div>
          <dt>Your number</dt>
          <dd>
            {subscriber.name}, {subscriber.phoneNumber}.
            {numberIsHidden
              ? ' The application does not learn it.'
              : ' The application can learn it.'}
          </dd>
        </div>
      </dl>
      <form method="post" action={`${action}/consent`} data-form="consent">
        <div class="actions">
          <button type="submit" name="decision" value="deny" class="quiet">
            Deny
          </button>
          <button type="submit" name="decision" value="allow">
            Allow
          </button>
        </div>
      </form>
      <p class="fine">You can take this back at any time in your account with us.</p>
    </Layout>
  )
}

function Tick() {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <path
        d="M4 10.500l4 4 8-9"
        fill="none"
        stroke="currentColor"
        stroke-width="2.200"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  )
}
