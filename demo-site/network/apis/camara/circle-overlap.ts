/**
 * Computes the share of one circle on the earth that another circle covers. Location verification compares the
 * circle in which the device is known to be with the requested area.
 */

export interface Circle {
  latitude: number
  longitude: number
  radiusMeters: number
}

const EARTH_RADIUS_METERS = 6_371_000

/** Computes the share of `inner` that `outer` covers, from 0 to 1. Treats the circles as flat. */
export function computeCoveredShare(inner: Circle, outer: Circle): number {
  const distance = computeDistanceMeters(inner, outer)
  const { radiusMeters: r } = inner
  const { radiusMeters: R } = outer
  if (distance + r <= R) return 1
  if (distance >= r + R) return 0
  if (distance + R <= r) return (R * R) / (r * r)
  const a = (distance * distance + r * r - R * R) / (2 * distance)
  const b = distance - a
  const lens = computeSegmentArea(r, a) + computeSegmentArea(R, b)
  return Math.min(1, Math.max(0, lens / (Math.PI * r * r)))
}

/** Computes the area of a circular segment, which a chord at this distance from the centre cuts off. */
function computeSegmentArea(radius: number, chord: number): number {
  const ratio = Math.min(1, Math.max(-1, chord / radius))
  return (
    radius * radius * Math.acos(ratio) - chord * Math.sqrt(Math.max(0, radius ** 2 - chord ** 2))
  )
}

export function computeDistanceMeters(
  a: Omit<Circle, 'radiusMeters'>,
  b: Omit<Circle, 'radiusMeters'>,
) {
  const toRadians = (degrees: number) => (degrees * Math.PI) / 180
  const dLatitude = toRadians(b.latitude - a.latitude)
  const dLongitude = toRadians(b.longitude - a.longitude)
  const h =
    Math.sin(dLatitude / 2) ** 2 +
    Math.cos(toRadians(a.latitude)) *
      Math.cos(toRadians(b.latitude)) *
      Math.sin(dLongitude / 2) ** 2
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(h)))
}
