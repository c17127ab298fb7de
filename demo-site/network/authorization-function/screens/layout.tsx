/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Lays out every screen of the operator: brand, card and footer. The markup needs no script. */

import type { ComponentChildren } from 'preact'
import type { Operator } from '../../operator.ts'

export interface LayoutProps {
  operator: Operator
  title: string
  /** URL of the style sheet. */
  styleSheet: string
  /** Name of the screen, for scripted browsers. */
  screen: string
  wide?: boolean
  /** URL of the passkey script, for screens that use it. */
  script?: string
  /** Interval of automatic reloads, for a screen that shows events of other screens. */
  refreshSeconds?: number
  children: ComponentChildren
}

export function Layout(props: LayoutProps) {
  const { operator, title, styleSheet, screen, wide, script, refreshSeconds, children } = props
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        {refreshSeconds ? <meta http-equiv="refresh" content={String(refreshSeconds)} /> : null}
        <title>{`${title} – ${operator.name}`}</title>
        <link rel="stylesheet" href={styleSheet} />
        <link rel="icon" href="data:," />
        {script ? <script type="module" src={script} /> : null}
      </head>
      <body>
        <main class={wide ? 'wide' : undefined} data-screen={screen}>
          <div class="brand">
            <Mark />
            <div>
              <strong>{operator.name}</strong>
              <span>{operator.motto}</span>
            </div>
          </div>
          {children}
        </main>
        <footer>A made-up operator for demonstration and tests. Nothing here is real.</footer>
      </body>
    </html>
  )
}

export function ErrorNote({ id, text }: { id: string; text: string | undefined }) {
  return text === undefined ? null : (
    <p class="note error" id={id} role="alert" data-error>
      {text}
    </p>
  )
}

function Mark() {
  return (
    <svg viewBox="0 0 40 40" aria-hidden="true">
      <defs>
        <linearGradient id="mark" x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stop-color="#3b82f6" />
          <stop offset="1" stop-color="#7c3aed" />
        </linearGradient>
      </defs>
      <rect width="40" height="40" rx="12" fill="url(#mark)" />
      <circle cx="20" cy="20" r="11" fill="none" stroke="#fff" stroke-width="2" opacity=".55" />
      <path d="M20 6.5c6 7.5 6 19.500 0 27c-6-7.500-6-19.500 0-27z" fill="#fff" opacity=".95" />
    </svg>
  )
}
