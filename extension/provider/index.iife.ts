/**
 * Runs in the page's own world, before any script of the page. Announces the provider to a page that
 * asks (and only then) and carries calls over a private port to the content script. It holds no secret
 * and no authority: whatever it can do, the page can do.
 */

import { connectProvider } from './provider.ts'

if (window === top && isSecureContext) connectProvider()
