/** Installs Chromium and Firefox if they are missing, or prints the command that does. */

import { ensureBrowsers } from './browsers.ts'

try {
  await ensureBrowsers(['chromium', 'firefox'])
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
