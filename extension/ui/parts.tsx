/** Components that several screens use. */

import type { ComponentChildren } from 'preact'
import { ForeignText } from './foreign-text.tsx'

export function Alert({ text }: { text: string | undefined }) {
  return (
    <div role="alert" class={text ? 'card alert' : undefined}>
      {text && <ForeignText text={text} />}
    </div>
  )
}

interface FrameProps {
  title: string
  here: 'operators' | 'sites'
  children: ComponentChildren
}

const PAGES = [
  { name: 'sites', label: 'Sites and log' },
  { name: 'operators', label: 'Operators' },
] as const

/** Frame of a screen that is in a tab of its own. */
export function Frame({ title, here, children }: FrameProps) {
  return (
    <>
      <header class="top">
        <nav aria-label="Northkey">
          {PAGES.map(({ name, label }) => (
            <a
              key={name}
              href={`../${name}/index.html`}
              aria-current={name === here ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
      </header>
      <main>
        <h1>{title}</h1>
        {children}
      </main>
    </>
  )
}

/** Shows a time in the format of the user's locale. */
export function Time({ at }: { at: number }) {
  return <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleString()}</time>
}
