/**
 * Runs in the page's own world, before any script of the page. It announces the provider to a page that
 * requests it (and only then) and forwards calls over a private port to the content script. It holds no
 * secret and no authority: the page can do whatever this script can do.
 */

import { connectProvider } from './provider.ts'

if (window === top && isSecureContext) connectProvider()
