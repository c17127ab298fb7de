/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Renders the error screen of a request that cannot continue and has no safe redirect URI. */

import { Layout, type LayoutProps } from './layout.tsx'

export interface ProblemProps extends Omit<LayoutProps, 'title' | 'screen' | 'children'> {
  error: string
  description: string
}

export function Problem({ error, description, ...layout }: ProblemProps) {
  return (
    <Layout {...layout} title="This did not work" screen="error">
      <h1>This did not work</h1>
      <p class="lead">
        The application sent you here with a request that we cannot carry out. You can close this
        window and start again from the application.
      </p>
      <p class="note error" role="alert">
        <code data-error-code>{error}</code>
        <br />
        <span data-error-description>{description}</span>
      </p>
    </Layout>
  )
}
