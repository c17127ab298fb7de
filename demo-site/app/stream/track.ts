/** Draws the foreground of the picture: the track in perspective, its gates, and the glider. */

import { computeNoise, type Frame, HORIZON } from './landscape.ts'

const CAMERA = 0.055
const SPEED = 0.9
const FAR = 9

/** Projects a point of the track at a distance to the frame. */
function projectPoint({ width, height }: Frame, distance: number, time: number) {
  const scale = CAMERA / (distance * 0.11 + CAMERA)
  const travelled = distance + time * SPEED
  const bend = (at: number) => Math.sin(at * 0.32) * 0.9 + Math.sin(at * 0.13 + 2) * 0.7
  const center = 0.5 + (bend(travelled) - bend(time * SPEED)) * 0.17 * (1 - scale)
  return {
    scale,
    x: center * width,
    y: (HORIZON + 0.04 + (1.06 - HORIZON) * scale) * height,
    half: width * 0.46 * scale,
  }
}

export function drawGround(frame: Frame): void {
  const { context, width, height, time, detailed } = frame
  const top = (HORIZON + 0.035) * height
  const gradient = context.createLinearGradient(0, top, 0, height)
  gradient.addColorStop(0, '#3b2a66')
  gradient.addColorStop(0.25, '#1b1a48')
  gradient.addColorStop(1, '#070a22')
  context.fillStyle = gradient
  context.fillRect(0, top, width, height - top)
  const bands = detailed ? 46 : 18
  for (let band = bands; band > 0; band--) {
    const spacing = FAR / bands
    const near = projectPoint(frame, band * spacing - ((time * SPEED) % spacing), time)
    context.fillStyle = `rgba(96, 220, 232, ${0.03 + 0.16 * near.scale})`
    context.fillRect(0, near.y, width, Math.max(0.7, near.scale * height * 0.006))
  }
  for (let shard = 0; shard < (detailed ? 60 : 18); shard++) {
    const at = FAR - ((time * SPEED + computeNoise(shard) * FAR) % FAR)
    const { x, y, half, scale } = projectPoint(frame, at, time)
    const side = shard % 2 ? 1 : -1
    const tall = height * 0.22 * scale * (0.3 + computeNoise(shard + 40))
    const left = x + side * half * (1.5 + computeNoise(shard + 20) * 3)
    context.fillStyle = `rgba(20, 18, 58, ${0.55 + 0.4 * scale})`
    context.beginPath()
    context.moveTo(left - tall * 0.3, y)
    context.lineTo(left + tall * 0.1, y - tall)
    context.lineTo(left + tall * 0.36, y)
    context.fill()
    context.fillStyle = `rgba(94, 234, 212, ${0.1 + 0.25 * scale})`
    context.beginPath()
    context.moveTo(left + tall * 0.02, y)
    context.lineTo(left + tall * 0.1, y - tall)
    context.lineTo(left + tall * 0.36, y)
    context.fill()
  }
}

export function drawTrack(frame: Frame): void {
  const { context, time, detailed } = frame
  const pieces = detailed ? 90 : 30
  const spacing = FAR / pieces
  for (let piece = pieces; piece > 0; piece--) {
    const far = projectPoint(frame, piece * spacing, time)
    const near = projectPoint(frame, (piece - 1) * spacing, time)
    const fill = (inner: number, outer: number, color: string) => {
      context.fillStyle = color
      context.beginPath()
      context.moveTo(far.x + far.half * inner, far.y)
      context.lineTo(far.x + far.half * outer, far.y)
      context.lineTo(near.x + near.half * outer, near.y + 0.8)
      context.lineTo(near.x + near.half * inner, near.y + 0.8)
      context.fill()
    }
    fill(-1, 1, piece % 2 ? '#232a6b' : '#262e74')
    const glow = 0.55 + 0.45 * near.scale
    fill(-1.03, -0.96, `rgba(94, 234, 212, ${glow})`)
    fill(0.96, 1.03, `rgba(94, 234, 212, ${glow})`)
    const lane = Math.floor((piece * spacing + time * SPEED) * 5)
    if (lane % 2 === 0) fill(-0.014, 0.014, `rgba(255, 214, 160, ${0.35 + 0.6 * near.scale})`)
  }
}

/** Draws hexagonal gates that the glider flies through. */
export function drawGates(frame: Frame): void {
  const { context, height, time, detailed } = frame
  const spacing = 2.2
  const passed = time * SPEED
  for (let gate = 4; gate >= 0; gate--) {
    const at = gate * spacing + spacing - (passed % spacing)
    const { x, y, half, scale } = projectPoint(frame, at, time)
    if (scale > 0.62) continue
    const radius = half * 1.12
    const middle = y - radius * 0.62
    context.beginPath()
    for (let corner = 0; corner < 6; corner++) {
      const angle = (corner * Math.PI) / 3
      const point: [number, number] = [
        x + Math.cos(angle) * radius,
        middle + Math.sin(angle) * radius * 0.78,
      ]
      if (corner === 0) context.moveTo(...point)
      else context.lineTo(...point)
    }
    context.closePath()
    const color = (gate + Math.floor(passed / spacing)) % 2 ? '255, 184, 107' : '125, 211, 252'
    if (detailed) {
      context.lineWidth = height * 0.05 * scale
      context.strokeStyle = `rgba(${color}, 0.16)`
      context.stroke()
    }
    context.lineWidth = Math.max(1, height * 0.018 * scale)
    context.strokeStyle = `rgba(${color}, ${Math.min(1, 0.4 + scale * 2.2)})`
    context.stroke()
  }
}

export function drawGlider({ context, width, height, time, detailed }: Frame): void {
  const bank = Math.sin(time * 0.9) * 0.16 + Math.sin(time * 0.37) * 0.1
  const size = height * 0.2
  context.save()
  context.translate(width * (0.5 + bank * 0.24), height * (0.7 + Math.sin(time * 1.7) * 0.008))
  context.rotate(bank)
  context.scale(size, size)

  const flame = 0.5 + 0.1 * Math.sin(time * 31)
  for (const side of [-0.2, 0.2]) {
    const glow = context.createRadialGradient(side, 0.16, 0.01, side, 0.2, flame * 0.55)
    glow.addColorStop(0, 'rgba(255, 244, 214, 0.95)')
    glow.addColorStop(0.25, 'rgba(94, 234, 212, 0.6)')
    glow.addColorStop(1, 'rgba(94, 234, 212, 0)')
    context.fillStyle = glow
    context.fillRect(side - 0.5, -0.3, 1, 1)
  }
  const shape = (color: string, points: [number, number][]) => {
    context.fillStyle = color
    context.beginPath()
    for (const [index, point] of points.entries()) {
      if (index === 0) context.moveTo(...point)
      else context.lineTo(...point)
    }
    context.closePath()
    context.fill()
  }
  for (const side of [-1, 1]) {
    const mirrored = (points: [number, number][]) =>
      points.map(([x, y]): [number, number] => [x * side, y])
    shape(
      '#c9d5ea',
      mirrored([
        [0.06, -0.16],
        [1.05, 0.12],
        [0.98, 0.2],
        [0.12, 0.16],
      ]),
    )
    shape(
      '#7587b0',
      mirrored([
        [0.12, 0.1],
        [0.98, 0.2],
        [0.12, 0.2],
      ]),
    )
    shape(
      '#ff8a66',
      mirrored([
        [0.82, 0.055],
        [1.05, 0.12],
        [0.98, 0.2],
        [0.76, 0.17],
      ]),
    )
    shape(
      '#42507c',
      mirrored([
        [0.1, -0.06],
        [0.3, 0.06],
        [0.3, 0.24],
        [0.1, 0.24],
      ]),
    )
    shape(
      '#9fb2d6',
      mirrored([
        [0.34, -0.02],
        [0.46, -0.28],
        [0.5, -0.26],
        [0.46, 0.05],
      ]),
    )
  }
  shape('#eef3fc', [
    [0, -0.42],
    [0.13, -0.02],
    [0.13, 0.22],
    [-0.13, 0.22],
    [-0.13, -0.02],
  ])
  shape('#1b2450', [
    [0, -0.3],
    [0.075, -0.04],
    [0, 0.04],
    [-0.075, -0.04],
  ])
  if (detailed) {
    shape('rgba(125, 211, 252, 0.85)', [
      [0, -0.27],
      [0.03, -0.05],
      [0, -0.01],
      [-0.02, -0.05],
    ])
    shape('#5eead4', [
      [-0.11, 0.13],
      [0.11, 0.13],
      [0.11, 0.15],
      [-0.11, 0.15],
    ])
  }
  context.restore()
}
