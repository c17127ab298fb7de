/**
 * Shows the game stream: a canvas with the quality that the session allows. The animation stops for users who prefer
 * reduced motion, and while the canvas is not visible.
 */

import { useEffect, useRef } from 'preact/hooks'
import { formatRate } from '../model/downlink.ts'
import { computePictureSize, PRIORITY, type Quality, selectQuality } from './quality.ts'
import { drawScene } from './scene.ts'

const STILL_SECONDS = 12.4

function startStream(canvas: HTMLCanvasElement, quality: Quality): () => void {
  const context = canvas.getContext('2d', { alpha: false })
  if (!context) return () => {}
  const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)')
  const detailed = quality === PRIORITY
  let request = 0
  let visible = true
  let lastMs = Number.NEGATIVE_INFINITY

  function paintFrame(seconds: number): void {
    const { width, height } = computePictureSize(quality, {
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      pixelRatio: devicePixelRatio,
    })
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    if (context) drawScene({ context, width, height, time: seconds, detailed })
  }

  function handleAnimationFrame(nowMs: number): void {
    request = requestAnimationFrame(handleAnimationFrame)
    // Display frames are not exactly on time; a tolerance of half a frame keeps the full rate.
    if (nowMs - lastMs < 1000 / quality.framesPerSecond - 4) return
    lastMs = nowMs
    paintFrame(STILL_SECONDS + nowMs / 1000)
  }

  function restartAnimation(): void {
    cancelAnimationFrame(request)
    if (reducedMotion.matches) paintFrame(STILL_SECONDS)
    else if (visible) request = requestAnimationFrame(handleAnimationFrame)
  }

  const visibilityObserver = new IntersectionObserver((entries) => {
    visible = entries.some(({ isIntersecting }) => isIntersecting)
    restartAnimation()
  })
  const sizeObserver = new ResizeObserver(() => {
    if (reducedMotion.matches) paintFrame(STILL_SECONDS)
  })
  visibilityObserver.observe(canvas)
  sizeObserver.observe(canvas)
  reducedMotion.addEventListener('change', restartAnimation)
  restartAnimation()
  return () => {
    cancelAnimationFrame(request)
    visibilityObserver.disconnect()
    sizeObserver.disconnect()
    reducedMotion.removeEventListener('change', restartAnimation)
  }
}

export interface StageProps {
  boosted: boolean
  /** Measured rate; `undefined` without a measurement. */
  bitsPerSecond: number | undefined
}

export function Stage({ boosted, bitsPerSecond }: StageProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const quality = selectQuality(boosted, bitsPerSecond)
  useEffect(() => (canvas.current ? startStream(canvas.current, quality) : undefined), [quality])
  return (
    <figure class="stage" data-testid="stage" data-quality={quality.name.toLowerCase()}>
      <canvas
        ref={canvas}
        class="stage-picture"
        role="img"
        aria-label={`A glider races along a glowing track under an aurora, in ${quality.name.toLowerCase()} picture quality`}
      />
      <figcaption class="stage-hud">
        <span class="hud-title">Aurora Drift</span>
        <span class="hud-quality">
          <span class="hud-light" aria-hidden="true" />
          {quality.name} picture
          <span class="hud-figures">
            up to {quality.height}p · {quality.framesPerSecond} fps
          </span>
          {bitsPerSecond !== undefined && (
            <span class="hud-rate" data-testid="downlink">
              {formatRate(bitsPerSecond)}
            </span>
          )}
        </span>
      </figcaption>
    </figure>
  )
}
