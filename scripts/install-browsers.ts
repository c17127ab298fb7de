/** Makes sure that Chromium and Firefox are on this machine, or says how to get them. */

import { ensureBrowsers } from './browsers.ts'

try {
  await ensureBrowsers(['chromium', 'firefox'])
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
