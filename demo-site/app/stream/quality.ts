/**
 * What a quality of service means for the picture. The page has no video: it draws each frame with the
 * resolution and at the rate that the session would carry, so that the difference can be seen.
 */

export interface Quality {
  name: 'Standard' | 'Priority'
  /** Of the picture as drawn; it is scaled to the stage. */
  width: number
  height: number
  framesPerSecond: number
}

export const STANDARD: Quality = { name: 'Standard', width: 256, height: 144, framesPerSecond: 12 }
export const PRIORITY: Quality = {
  name: 'Priority',
  width: 1920,
  height: 1080,
  framesPerSecond: 60,
}

/** What the full picture needs at the least. */
const PRIORITY_BITS_PER_SECOND = 8_000_000

/** The picture follows what is measured; without a measurement, what was agreed. */
export function selectQuality(boosted: boolean, bitsPerSecond: number | undefined): Quality {
  if (bitsPerSecond === undefined) return boosted ? PRIORITY : STANDARD
  return bitsPerSecond >= PRIORITY_BITS_PER_SECOND ? PRIORITY : STANDARD
}

/** How many pixels a stage can make use of: never more than its session carries. */
export function computePictureSize(
  quality: Quality,
  stage: { width: number; height: number; pixelRatio: number },
): { width: number; height: number } {
  const needed = Math.max(1, Math.round(stage.width * stage.pixelRatio))
  const width = Math.min(quality.width, needed)
  const aspect = stage.width > 0 && stage.height > 0 ? stage.height / stage.width : 9 / 16
  return { width, height: Math.max(1, Math.round(width * aspect)) }
}
