/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Where the subscriber signs in. */

import { ErrorNote, Layout, type LayoutProps } from './layout.tsx'

export interface SignInProps extends Omit<LayoutProps, 'title' | 'screen' | 'children'> {
  action: string
  application: string
  phoneNumber: string
  /** Shown because this is a demonstration. */
  hint: { phoneNumber: string; password: string }
  error?: string
}

export function SignIn({ action, application, phoneNumber, hint, error, ...layout }: SignInProps) {
  const described = error === undefined ? {} : { 'aria-describedby': 'sign-in-error' }
  return (
    <Layout {...layout} title="Sign in" screen="sign-in">
      <h1>Sign in to continue</h1>
      <p class="lead">
        <b>{application}</b> would like to use services of your mobile network. First, show us that
        it is you.
      </p>
      <ErrorNote id="sign-in-error" text={error} />
      <form method="post" action={`${action}/password`} data-form="password">
        <label for="phone-number">Phone number</label>
        <input
          id="phone-number"
          name="phone_number"
          type="tel"
          autocomplete="username"
          inputmode="tel"
          required
          value={phoneNumber}
          aria-invalid={error === undefined ? undefined : 'true'}
          {...described}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          aria-invalid={error === undefined ? undefined : 'true'}
          {...described}
        />
        <p class="note" id="hint">
          This is a demonstration. Use <code>{hint.phoneNumber}</code> with the password{' '}
          <code>{hint.password}</code>.
        </p>
        <button type="submit">Sign in</button>
      </form>
      <form method="post" action={`${action}/cancel`} class="stack" data-form="cancel">
        <button type="submit" class="quiet">
          Cancel
        </button>
      </form>
    </Layout>
  )
}
