/** Switches the theme. It follows the system until the player chooses; the choice is stored on this device. */

import { useEffect, useState } from 'preact/hooks'

type Theme = 'light' | 'dark'

const KEY = 'skyframe-theme'

function storedTheme(): Theme | undefined {
  try {
    const stored = localStorage.getItem(KEY)
    return stored === 'light' || stored === 'dark' ? stored : undefined
  } catch {
    // The page may have no access to storage; the theme of the system then applies.
    return undefined
  }
}

function systemTheme(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

export function ThemeToggle() {
  const [theme, setTheme] = useState<Theme | undefined>()
  useEffect(() => setTheme(storedTheme()), [])
  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme
  }, [theme])
  const toggle = () => {
    const next = (theme ?? systemTheme()) === 'dark' ? 'light' : 'dark'
    setTheme(next)
    try {
      localStorage.setItem(KEY, next)
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  }
  return (
    <button type="button" class="icon-button" data-testid="theme" onClick={toggle}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="8.500" fill="none" stroke="currentColor" stroke-width="2" />
        <path d="M12 3.500a8.500 8.500 0 0 1 0 17z" fill="currentColor" />
      </svg>
      <span class="visually-hidden">Switch between light and dark</span>
    </button>
  )
}
