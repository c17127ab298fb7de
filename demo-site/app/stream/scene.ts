/** Draws one picture of the game. It loads no assets: everything is drawn, at the resolution of the stream. */

import { drawAurora, drawPlanet, drawRidges, drawSky, type Frame } from './landscape.ts'
import { drawGates, drawGlider, drawGround, drawTrack } from './track.ts'

export function drawScene(frame: Frame): void {
  drawSky(frame)
  drawAurora(frame)
  drawPlanet(frame)
  drawRidges(frame)
  drawGround(frame)
  drawTrack(frame)
  drawGates(frame)
  drawGlider(frame)
  drawVignette(frame)
}

function drawVignette({ context, width, height }: Frame): void {
  const gradient = context.createRadialGradient(
    width / 2,
    height * 0.55,
    height * 0.4,
    width / 2,
    height * 0.55,
    width * 0.72,
  )
  gradient.addColorStop(0, 'rgba(4, 6, 20, 0)')
  gradient.addColorStop(1, 'rgba(4, 6, 20, 0.55)')
  context.fillStyle = gradient
  context.fillRect(0, 0, width, height)
}
