/** Builds what the browser tests load, so that they never run against yesterday's code. */

import { buildModes, DEVELOPMENT_MODES } from '../../scripts/build.ts'

export default function setup(): Promise<void> {
  return buildModes(DEVELOPMENT_MODES)
}
