/**
 * Draws the background of the picture: sky, aurora, planet and ridges. Each function draws from a time only. Sizes are
 * fractions of the frame, so that the same scene fits every resolution of the stream.
 */

export interface Frame {
  context: CanvasRenderingContext2D
  width: number
  height: number
  /** Seconds of the game clock. */
  time: number
  /** Whether fine detail is drawn, which costs time and is visible at high resolution only. */
  detailed: boolean
}

export const HORIZON = 0.52

/** Computes a pseudo-random number from a seed, so that a frame depends on its time only. */
export function computeNoise(seed: number): number {
  const value = Math.sin(seed * 127.1 + 11.7) * 43758.5453
  return value - Math.floor(value)
}

function verticalGradient(
  { context, height }: Frame,
  from: number,
  to: number,
  stops: [at: number, color: string][],
): CanvasGradient {
  const gradient = context.createLinearGradient(0, from * height, 0, to * height)
  for (const [at, color] of stops) gradient.addColorStop(at, color)
  return gradient
}

export function drawSky(frame: Frame): void {
  const { context, width, height, time, detailed } = frame
  context.fillStyle = verticalGradient(frame, 0, HORIZON + 0.06, [
    [0, '#070b1f'],
    [0.42, '#172554'],
    [0.72, '#5b3a78'],
    [0.9, '#e0796b'],
    [1, '#ffc98a'],
  ])
  context.fillRect(0, 0, width, height)
  const stars = detailed ? 170 : 45
  for (let star = 0; star < stars; star++) {
    const y = computeNoise(star + 0.5) * HORIZON * 0.8
    const twinkle = 0.45 + 0.4 * Math.sin(time * (0.6 + computeNoise(star) * 1.6) + star)
    context.globalAlpha = twinkle * (1 - y / HORIZON)
    context.fillStyle = '#eaf4ff'
    const size = Math.max(1, (height / 560) * (0.6 + computeNoise(star + 9) * 1.3))
    context.fillRect(computeNoise(star + 3.3) * width, y * height, size, size)
  }
  context.globalAlpha = 1
}

/** The aurora is painted small and scaled up, because it is soft. This saves most of the cost of a frame. */
const AURORA = { width: 240, height: 64, columns: 120, reach: HORIZON }

let auroraPicture: OffscreenCanvas | undefined

function paintAurora(time: number): OffscreenCanvas | undefined {
  auroraPicture ??= new OffscreenCanvas(AURORA.width, AURORA.height)
  const context = auroraPicture.getContext('2d')
  if (!context) return undefined
  const { width, columns } = AURORA
  const height = AURORA.height / AURORA.reach
  const bands: [hue: string, base: number, speed: number][] = [
    ['64, 240, 200', 0.2, 0.16],
    ['110, 190, 255', 0.27, -0.11],
    ['190, 130, 255', 0.33, 0.09],
  ]
  const step = width / columns
  context.clearRect(0, 0, width, AURORA.height)
  context.globalCompositeOperation = 'lighter'
  for (const [color, base, speed] of bands) {
    for (let column = 0; column < columns; column++) {
      const u = column / columns
      const slow = Math.sin(u * 7 + time * speed * 5) * 0.05
      const quick = Math.sin(u * 17 - time * speed * 3) * 0.02
      const glow = 0.5 + 0.5 * Math.sin(u * 11 + time * speed * 7 + base * 40)
      const bottom = (base + slow + quick) * height
      const tall = (0.12 + 0.14 * glow) * height
      const gradient = context.createLinearGradient(0, bottom - tall, 0, bottom)
      gradient.addColorStop(0, `rgba(${color}, 0)`)
      gradient.addColorStop(0.82, `rgba(${color}, ${0.09 + 0.17 * glow})`)
      gradient.addColorStop(1, `rgba(${color}, 0)`)
      context.fillStyle = gradient
      context.fillRect(column * step, bottom - tall, step, tall)
    }
  }
  return auroraPicture
}

export function drawAurora({ context, width, height, time }: Frame): void {
  const picture = paintAurora(time)
  if (!picture) return
  context.globalCompositeOperation = 'lighter'
  context.drawImage(picture, 0, 0, width, height * AURORA.reach)
  context.globalCompositeOperation = 'source-over'
}

export function drawPlanet({ context, width, height, time }: Frame): void {
  const x = width * (0.74 + 0.006 * Math.sin(time * 0.1))
  const y = height * 0.31
  const radius = height * 0.135
  const ring = (from: number, to: number) => {
    context.beginPath()
    context.ellipse(x, y, radius * 1.85, radius * 0.42, -0.3, from, to)
    context.lineWidth = radius * 0.11
    context.strokeStyle = 'rgba(255, 222, 190, 0.62)'
    context.stroke()
    context.beginPath()
    context.ellipse(x, y, radius * 1.58, radius * 0.34, -0.3, from, to)
    context.lineWidth = radius * 0.05
    context.strokeStyle = 'rgba(255, 200, 170, 0.4)'
    context.stroke()
  }
  ring(Math.PI, Math.PI * 2)
  const shade = context.createRadialGradient(
    x - radius * 0.45,
    y - radius * 0.4,
    radius * 0.1,
    x,
    y,
    radius,
  )
  shade.addColorStop(0, '#ffe3c4')
  shade.addColorStop(0.5, '#e8937f')
  shade.addColorStop(1, '#5d3268')
  context.fillStyle = shade
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.fill()
  ring(0, Math.PI)
}

/** Draws three ridges that move at different speeds; distant ridges are hazier. */
export function drawRidges({ context, width, height, time, detailed }: Frame): void {
  const ridges: [color: string, tall: number, base: number, speed: number, seed: number][] = [
    ['#7a4a7c', 0.17, HORIZON + 0.01, 0.008, 2],
    ['#47336b', 0.13, HORIZON + 0.02, 0.018, 5],
    ['#231f4d', 0.1, HORIZON + 0.035, 0.034, 9],
  ]
  const steps = detailed ? 220 : 64
  for (const [color, tall, base, speed, seed] of ridges) {
    context.fillStyle = color
    context.beginPath()
    context.moveTo(0, height)
    for (let step = 0; step <= steps; step++) {
      const u = step / steps + time * speed
      const peaks =
        Math.abs(Math.sin(u * 5.3 + seed)) * 0.55 + Math.abs(Math.sin(u * 12.7 + seed * 3)) * 0.3
      const rocks = Math.abs(Math.sin(u * 41 + seed)) * 0.1 + Math.abs(Math.sin(u * 97)) * 0.05
      context.lineTo((step / steps) * width, (base - tall * (peaks + rocks)) * height)
    }
    context.lineTo(width, height)
    context.fill()
  }
}
