/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Renders the sign-in screen: password, one-time code on the phone, or passkey. */

import { ErrorNote, Layout, type LayoutProps } from './layout.tsx'

export interface SignInProps extends Omit<LayoutProps, 'title' | 'screen' | 'children'> {
  action: string
  application: string
  phoneNumber: string
  /** Credentials that the screen shows, because this is a demonstration. */
  hint: { phoneNumber: string; password: string }
  error?: string
  /** Whether a one-time code has been sent to the phone. */
  codeSent?: boolean
}

export function SignIn(props: SignInProps) {
  const { action, application, phoneNumber, hint, error, codeSent, ...layout } = props
  return (
    <Layout {...layout} title="Sign in" screen={codeSent ? 'code' : 'sign-in'}>
      <h1>{codeSent ? 'Enter the code' : 'Sign in to continue'}</h1>
      {codeSent ? (
        <p class="lead">
          If the number is one of ours, a message with a code is on its way to the phone.
        </p>
      ) : (
        <p class="lead">
          <b>{application}</b> would like to use services of your mobile network. First, show us
          that it is you.
        </p>
      )}
      <ErrorNote id="sign-in-error" text={error} />
      {codeSent ? (
        <CodeForm action={action} phoneNumber={phoneNumber} invalid={error !== undefined} />
      ) : (
        <Ways action={action} phoneNumber={phoneNumber} hint={hint} invalid={error !== undefined} />
      )}
      <form method="post" action={`${action}/cancel`} class="stack" data-form="cancel">
        <button type="submit" class="quiet">
          Cancel
        </button>
      </form>
    </Layout>
  )
}

type WaysProps = Pick<SignInProps, 'action' | 'phoneNumber' | 'hint'> & { invalid: boolean }

function invalidity(invalid: boolean) {
  return invalid ? { 'aria-invalid': 'true' as const, 'aria-describedby': 'sign-in-error' } : {}
}

function Ways({ action, phoneNumber, hint, invalid }: WaysProps) {
  return (
    <>
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
          {...invalidity(invalid)}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          {...invalidity(invalid)}
        />
        <p class="note" id="hint">
          This is a demonstration. Use <code>{hint.phoneNumber}</code> with the password{' '}
          <code>{hint.password}</code>.
        </p>
        <button type="submit">Sign in</button>
      </form>
      <p class="or">or</p>
      <details>
        <summary>Send a code to my phone</summary>
        <form method="post" action={`${action}/send-code`} class="stack" data-form="send-code">
          <div>
            <label for="code-phone-number">Phone number</label>
            <input
              id="code-phone-number"
              name="phone_number"
              type="tel"
              autocomplete="tel"
              inputmode="tel"
              required
              value={phoneNumber}
            />
          </div>
          <button type="submit" class="quiet">
            Send a code
          </button>
        </form>
      </details>
      <form method="post" action={`${action}/passkey`} class="stack" data-form="passkey">
        <input type="hidden" name="assertion" value="" />
        <button type="button" class="quiet" data-passkey={`${action}/passkey-options`} hidden>
          Sign in with a passkey
        </button>
      </form>
      <p class="fine" data-access-network="unknown">
        You do not seem to be on our mobile network, on Wi-Fi perhaps. There we would have known you
        by your SIM.
      </p>
    </>
  )
}

function CodeForm({ action, phoneNumber, invalid }: Omit<WaysProps, 'hint'>) {
  return (
    <>
      <form method="post" action={`${action}/code`} data-form="code">
        <label for="code">Code, six digits</label>
        <input
          id="code"
          name="code"
          type="text"
          class="code"
          autocomplete="one-time-code"
          inputmode="numeric"
          maxlength={7}
          required
          {...invalidity(invalid)}
        />
        <p class="note">
          This is a demonstration. The phones are on{' '}
          <a href="/phone" target="_blank" rel="noreferrer">
            a page of their own
          </a>
          .
        </p>
        <button type="submit">Sign in</button>
      </form>
      <form method="post" action={`${action}/send-code`} class="stack" data-form="send-code">
        <input type="hidden" name="phone_number" value={phoneNumber} />
        <button type="submit" class="quiet">
          Send a new code
        </button>
      </form>
    </>
  )
}
