/**
 * Lists the authorization servers of the runs: where their profiles are, and what a user does on their pages. The
 * pages are the servers' own, so the selectors are theirs too.
 */

/** A form of a server. The first selector that is on the page tells which one it is. */
export interface Form {
  /** Values by selector. */
  fill?: Readonly<Record<string, string>>
  /** Boxes that the user ticks, by selector. */
  tick?: string
  /** Button that sends the form. */
  press: string
  /** Whether the user types the password. */
  isSignIn?: boolean
}

export interface Server {
  /** Name and version. */
  title: string
  /** Origins of its pages, beside those of the profile. */
  origins?: readonly string[]
  forms: readonly Form[]
}

const PASSWORD = 'correct horse'

const signIn = (username: string, password: string, press: string): Form => ({
  fill: { [username]: 'alice', [password]: PASSWORD },
  press,
  isSignIn: true,
})

/** Names are those of the folders beside this file. */
export const SERVERS: Readonly<Record<string, Server>> = {
  keycloak: {
    title: 'Keycloak 26.7.3',
    forms: [signIn('#username', '#password', '#kc-login'), { press: '[name=accept]' }],
  },
  spring: {
    title: 'Spring Authorization Server 7 (Spring Boot 4.0.7)',
    forms: [
      signIn('[name=username]', '[name=password]', 'button[type=submit]'),
      { tick: '[name=scope]', press: '#submit-consent' },
    ],
  },
  django: {
    title: 'django-oauth-toolkit 3.4.1',
    forms: [
      signIn('[name=username]', '[name=password]', '[type=submit]'),
      { press: '[name=allow]' },
    ],
  },
  authlib: {
    title: 'Authlib 1.9.6',
    forms: [
      signIn('[name=username]', '[name=password]', '[type=submit]'),
      { press: '[name=allow]' },
    ],
  },
  hydra: {
    title: 'Ory Hydra 2.3.0',
    // Hydra has no pages of its own: hydra/login-consent.ts serves them.
    origins: ['http://localhost:8185'],
    forms: [
      signIn('[name=username]', '[name=password]', '[type=submit]'),
      { press: '[name=allow]' },
    ],
  },
  glewlwyd: {
    title: 'Glewlwyd 2.7.5',
    // One document shows all of them, one after the other.
    forms: [
      signIn('#username', '#password', '#loginbut'),
      { tick: '[id^=grant-]', press: 'button::-p-text(Grant access)' },
      { press: 'button.btn-success' },
    ],
  },
  zitadel: {
    title: 'zitadel/oidc 3.52.0',
    forms: [
      {
        fill: { '#username': 'test-user@localhost', '#password': 'verysecure' },
        press: 'button[type=submit]',
        isSignIn: true,
      },
    ],
  },
}
