/** What every bench prints with. */

export interface Goal {
  name: string
  measured: string
  limit: string
  met: boolean
}

export interface Measured {
  rows: string[][]
  goals: Goal[]
}

export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly string[][],
): void {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  console.log(`\n${title}\n`)
  console.log(line(head))
  for (const row of rows) console.log(line(row))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export interface Comparison<Name extends string> {
  /** Milliseconds of one call, the median over all slices. */
  time: Record<Name, number>
  /** How much longer one takes than another: the median over slices of what both took in the same one. */
  ratio(name: Name, base: Name): number
}

/** Lets all take turns in short slices, so that what else the machine does falls on all alike. */
export async function compare<Name extends string>(
  contestants: Record<Name, () => Promise<unknown>>,
  { slices, calls }: { slices: number; calls: number },
): Promise<Comparison<Name>> {
  const names = Object.keys(contestants) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >
  for (let slice = -Math.ceil(slices / 10); slice < slices; slice++) {
    // Whoever begins a slice is another one each time.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + slice + names.length * slices) % names.length] as Name
      const call = contestants[name]
      const start = performance.now()
      for (let index = 0; index < calls; index++) await call()
      const time = (performance.now() - start) / calls
      // The slices before zero are there to warm up.
      if (slice >= 0) times[name].push(time)
    }
  }
  return {
    time: Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<
      Name,
      number
    >,
    ratio: (name, base) =>
      median(times[name].map((time, slice) => time / (times[base][slice] ?? Number.NaN))),
  }
}
