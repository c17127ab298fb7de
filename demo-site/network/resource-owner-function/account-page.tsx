/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Renders the subscriber's account: the authorized applications, and buttons that revoke their access. */

import { ErrorNote, Layout, type LayoutProps } from '../authorization-function/screens/layout.tsx'
import type { Subscriber } from '../subscribers.ts'

export interface AuthorizedApplication {
  issuer: string
  clientId: string
  name: string
  apis: string[]
  sinceMs: number
}

type Frame = Omit<LayoutProps, 'title' | 'screen' | 'children'>

export interface AccountProps extends Frame {
  subscriber: Subscriber
  applications: AuthorizedApplication[]
  passkeys: number
  /** Name of the application that has just lost its access. */
  revoked?: string
}

export function Account(props: AccountProps) {
  const { subscriber, applications, passkeys, revoked, ...layout } = props
  return (
    <Layout {...layout} title="Your account" screen="account" wide>
      <h1>Hello, {subscriber.name}</h1>
      <p class="lead">{subscriber.phoneNumber}. These applications may use your mobile network.</p>
      {revoked === undefined ? null : (
        <p class="note ok" role="status" data-revoked>
          {revoked} has no access any more.
        </p>
      )}
      {applications.length === 0 ? (
        <p class="note" data-empty>
          No application has access. When you allow one, it appears here.
        </p>
      ) : null}
      <ul class="plain">
        {applications.map((application) => (
          <li
            key={`${application.issuer} ${application.clientId}`}
            data-authorization={application.clientId}
          >
            <ApplicationCard {...application} />
          </li>
        ))}
      </ul>
      <h2>Passkeys</h2>
      <p class="lead" data-passkeys={passkeys}>
        {passkeys === 0 ? 'You have none yet.' : `You have ${passkeys}.`} A passkey signs you in
        without a password.
      </p>
      <form method="post" action="/account/passkey" data-form="passkey">
        <input type="hidden" name="assertion" value="" />
        <button
          type="button"
          class="quiet"
          data-passkey="/account/passkey-options"
          data-passkey-kind="create"
          hidden
        >
          Create a passkey
        </button>
      </form>
      <form method="post" action="/account/sign-out" class="stack" data-form="sign-out">
        <button type="submit" class="quiet">
          Sign out
        </button>
      </form>
    </Layout>
  )
}

function ApplicationCard({ issuer, clientId, name, apis, sinceMs }: AuthorizedApplication) {
  const since = new Date(sinceMs)
  return (
    <>
      <div class="who">
        <div class="avatar" aria-hidden="true">
          {name.slice(0, 1).toUpperCase()}
        </div>
        <div>
          <strong>{name}</strong>
          <span>
            {apis.join(', ')}; since{' '}
            <time datetime={since.toISOString()}>{since.toUTCString().slice(5, 22)} UTC</time>
          </span>
        </div>
      </div>
      <form method="post" action="/account/revoke" data-form={`revoke ${clientId} ${issuer}`}>
        <input type="hidden" name="issuer" value={issuer} />
        <input type="hidden" name="client_id" value={clientId} />
        <button type="submit" class="danger small">
          Take access back<span class="hidden"> from {name}</span>
        </button>
      </form>
    </>
  )
}

export interface AccountSignInProps extends Frame {
  hint: { phoneNumber: string; password: string }
  error?: string
}

export function AccountSignIn({ hint, error, ...layout }: AccountSignInProps) {
  return (
    <Layout {...layout} title="Your account" screen="account-sign-in">
      <h1>Your account</h1>
      <p class="lead">Sign in to see which applications may use your mobile network.</p>
      <ErrorNote id="account-error" text={error} />
      <form method="post" action="/account/sign-in" data-form="password">
        <label for="phone-number">Phone number</label>
        <input
          id="phone-number"
          name="phone_number"
          type="tel"
          autocomplete="username"
          inputmode="tel"
          required
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
        <p class="note">
          This is a demonstration. Use <code>{hint.phoneNumber}</code> with the password{' '}
          <code>{hint.password}</code>.
        </p>
        <button type="submit">Sign in</button>
      </form>
    </Layout>
  )
}
