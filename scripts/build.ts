/** Builds the extension for both browsers, as released and for development, and the demo site. */

import { build } from 'vite'

export const DEVELOPMENT_MODES = ['chromium-development', 'firefox-development']
export const ALL_MODES = ['chromium', 'firefox', ...DEVELOPMENT_MODES, 'demo-site']

/** @param modes Modes of vite.config.ts. */
export async function buildModes(
  modes: string[],
  report: (line: string) => void = () => {},
): Promise<void> {
  for (const mode of modes) {
    report(`Building ${mode} …`)
    await build({ mode, logLevel: 'error' })
  }
}

if (process.argv[1] === import.meta.filename) {
  await buildModes(ALL_MODES, (line) => console.log(line))
}
