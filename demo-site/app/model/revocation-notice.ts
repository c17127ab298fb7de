/** Formats a `grantRevoked` event as a notice for the player. */

import type { ProviderEvents } from '../../../shared/messages/page-api.ts'
import type { Notice } from './state.ts'

/** TS 29.222 type Cause of a SecurityNotification; an open enumeration. */
const CAUSES: Readonly<Record<string, string>> = {
  OVERLIMIT_USAGE: ' because it was used more than agreed',
  AUTHORIZATION_ISSUE: ' because the authorization is no longer valid',
  UNEXPECTED_REASON: ' for a reason it did not expect',
}

/** @see TS 29.222 V19.5.0 CAPIF_Security_API, type Cause */
export function revocationNotice({
  by,
  cause,
}: ProviderEvents['grantRevoked']): Notice | undefined {
  switch (by) {
    case 'page':
      return undefined
    case 'user':
      return { tone: 'info', text: 'You took the permission back in your broker.' }
    case 'network': {
      const why = cause && Object.hasOwn(CAUSES, cause) ? CAUSES[cause] : ''
      return { tone: 'warning', text: `Your operator took the permission back${why}.` }
    }
  }
}
