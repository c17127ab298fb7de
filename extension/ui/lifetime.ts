/** Labels of the lifetimes of a grant, in plain words. */

import type { Lifetime } from '../../shared/messages/screen-channel.ts'

export const LIFETIMES: { value: Lifetime; label: string }[] = [
  { value: 'once', label: 'Only this time, at most one hour' },
  { value: 'session', label: 'Until I close the browser, at most 24 hours' },
  { value: 'day', label: 'For 24 hours' },
  { value: 'month', label: 'Until it is not used for 30 days' },
  // For application developers, who want to see the end of a grant.
  ...(__DEVELOPMENT__
    ? [{ value: 'brief' as const, label: 'For 20 seconds (development build)' }]
    : []),
]
