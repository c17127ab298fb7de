/** Shows the name of the application, the broker and the theme switch. */

import type { ComponentChildren } from 'preact'
import { ThemeToggle } from './theme-toggle.tsx'

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path
        class="logo-frame"
        d="M4 11V7.500A3.500 3.500 0 0 1 7.500 4H11M21 4h3.500A3.500 3.500 0 0 1 28 7.500V11M28 21v3.500a3.500 3.500 0 0 1-3.500 3.500H21M11 28H7.500A3.500 3.500 0 0 1 4 24.500V21"
      />
      <path class="logo-wing" d="M16 7.500 23.500 22 16 18.500 8.500 22z" />
    </svg>
  )
}

export function Header({ children }: { children: ComponentChildren }) {
  return (
    <header class="header">
      <span class="brand">
        <Logo />
        Skyframe
      </span>
      <div class="header-end">
        {children}
        <ThemeToggle />
      </div>
    </header>
  )
}
