/**
 * Computes for how long a response may be used again, from what its server says of it. Heuristics are not applied: a
 * server that says nothing is asked again. Pure.
 *
 * @see RFC 9111 sections 4.2 and 5.2.2
 */

/** Reads the seconds of a directive such as `max-age`. Twice, or no number of seconds: the response is stale. */
function readSeconds(directives: readonly string[], name: string): number | undefined {
  const values = directives
    .map((directive) => /^([\w-]+)\s*=\s*"?(\d{1,10})"?$/.exec(directive))
    .filter((match) => match?.[1] === name)
  const named = directives.filter((directive) => directive.split('=')[0]?.trim() === name)
  if (named.length === 0) return undefined
  return named.length === 1 && values.length === 1 ? Number(values[0]?.[2]) : 0
}

function readDate(value: string | null): number | undefined {
  const time = Date.parse(value ?? '')
  return Number.isNaN(time) ? undefined : time
}

/**
 * @param headers Header fields of the response.
 * @returns Milliseconds, counted from the arrival of the response; 0 for one that may not be used again.
 */
export function computeFreshnessMs(headers: Headers): number {
  const directives = (headers.get('cache-control') ?? '')
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim())
  const mayNotBeUsed = directives.some((directive) => /^(no-store|no-cache)\b/.test(directive))
  if (mayNotBeUsed || headers.get('vary')?.includes('*')) return 0
  const age = Number(/^\d{1,10}$/.exec(headers.get('age')?.trim() ?? '')?.[0] ?? 0)
  const maxAge = readSeconds(directives, 'max-age')
  if (maxAge !== undefined) return Math.max(0, 1000 * (maxAge - age))
  const [date, expires] = [readDate(headers.get('date')), readDate(headers.get('expires'))]
  if (date === undefined || expires === undefined) return 0
  return Math.max(0, expires - date - 1000 * age)
}
