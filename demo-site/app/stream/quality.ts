/**
 * Maps the quality of service to the quality of the picture. The page has no video: it draws each frame with the
 * resolution and frame rate that the session would carry, so that the difference is visible.
 */

export interface Quality {
  name: 'Standard' | 'Priority'
  /** Width of the picture as drawn; it is scaled to the stage. */
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

/** Minimum rate of the full picture. */
const PRIORITY_BITS_PER_SECOND = 8_000_000

/** Selects the quality by the measured rate; without a measurement, by the session. */
export function selectQuality(boosted: boolean, bitsPerSecond: number | undefined): Quality {
  if (bitsPerSecond === undefined) return boosted ? PRIORITY : STANDARD
  return bitsPerSecond >= PRIORITY_BITS_PER_SECOND ? PRIORITY : STANDARD
}

/** Computes the size of the picture: at most the pixels of the stage, and at most those of the session. */
export function computePictureSize(
  quality: Quality,
  stage: { width: number; height: number; pixelRatio: number },
): { width: number; height: number } {
  const needed = Math.max(1, Math.round(stage.width * stage.pixelRatio))
  const width = Math.min(quality.width, needed)
  const aspect = stage.width > 0 && stage.height > 0 ? stage.height / stage.width : 9 / 16
  return { width, height: Math.max(1, Math.round(width * aspect)) }
}
