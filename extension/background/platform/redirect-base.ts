/**
 * Defines the base of the redirect URIs at which authorization responses arrive. It is a constant, since
 * the id of the extension is fixed. `identity.getRedirectURL()` returns the same value, but Firefox for
 * Android has no `identity`.
 */

import { REDIRECT_BASE } from '../../identity.ts'

export const redirectBase = REDIRECT_BASE[__TARGET__]
