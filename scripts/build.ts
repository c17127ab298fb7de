/** Builds the extension for both browsers (release and development builds) and the demo site. */

import { join, resolve } from 'node:path'
import { build } from 'vite'

export const DEVELOPMENT_MODES = ['chromium-development', 'firefox-development']
export const ALL_MODES = ['chromium', 'firefox', ...DEVELOPMENT_MODES, 'demo-site']

/** Returns the folder of a development build, below the folder of all builds. */
export const getDevelopmentBuildPath = (folder: string, name: string) =>
  join(folder, 'development', name)

/**
 * @param modes Modes of vite.config.ts.
 * @param folder Output folder. Default: `dist`.
 */
export async function buildModes(
  modes: string[],
  folder = 'dist',
  report: (line: string) => void = () => {},
): Promise<void> {
  process.env.NORTHKEY_BUILDS = resolve(folder)
  for (const mode of modes) {
    report(`Building ${mode} …`)
    await build({ mode, logLevel: 'error' })
  }
}

if (process.argv[1] === import.meta.filename) {
  await buildModes(ALL_MODES, 'dist', (line) => console.log(line))
}
