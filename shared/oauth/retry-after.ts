/**
 * Reads `Retry-After`: whole seconds, or a date in one of the three forms of HTTP. A value of neither form is none: a
 * guess of the platform's date parser (`1.5` is a day of the year 2001 to it) would be a pause that nobody asked for.
 * Pure.
 * @see RFC 9110 sections 5.6.7 and 10.2.3
 */

const LIMIT_SECONDS = 24 * 60 * 60

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const TIME = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)'
const MONTH = `(?<month>${MONTHS.join('|')})`
const SHORT_DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'

/** IMF-fixdate, the format of RFC 850, and that of `asctime`. */
const DATES = [
  new RegExp(`^${SHORT_DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(
    `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(`^${SHORT_DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
]

/** Returns seconds from now, 0 to a day, or `undefined` for a value that is neither a delay nor a date. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const value = header?.trim() ?? ''
  const seconds = /^\d+$/.test(value) ? Number(value) : secondsUntil(value, now)
  if (seconds === undefined) return undefined
  return Math.min(Math.max(seconds, 0), LIMIT_SECONDS)
}

function secondsUntil(value: string, now: number): number | undefined {
  const groups = DATES.map((form) => form.exec(value)?.groups).find((found) => found !== undefined)
  if (groups === undefined) return undefined
  const { year = '', month = '', day = '', hour, minute, second } = groups
  const date = new Date(
    Date.UTC(
      fullYear(Number(year), year.length, now),
      MONTHS.indexOf(month),
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    ),
  )
  // The 31st of a month of 30 days is no date.
  if (date.getUTCMonth() !== MONTHS.indexOf(month)) return undefined
  return Math.ceil((date.getTime() - now) / 1000)
}

/** A year of two digits that seems to be more than 50 years in the future is in the past. */
function fullYear(year: number, digits: number, now: number): number {
  if (digits === 4) return year
  const current = new Date(now).getUTCFullYear()
  const inThisCentury = current - (current % 100) + year
  return inThisCentury > current + 50 ? inThisCentury - 100 : inThisCentury
}
