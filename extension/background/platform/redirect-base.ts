/**
 * Where authorization responses arrive. Fixed, as the id of the extension is, and not asked of
 * `identity.getRedirectURL()`, which says the same where it is there: Firefox for Android has no `identity`.
 */

import { REDIRECT_BASE } from '../../identity.ts'

export const redirectBase = REDIRECT_BASE[__TARGET__]
