/** Prints the tables of the benchmarks, and compares contestants in slices. */

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
  const formatLine = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  console.log(`\n${title}\n`)
  console.log(formatLine(head))
  for (const row of rows) console.log(formatLine(row))
}

export function computeMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export interface Comparison<Name extends string> {
  /** Milliseconds of one call, the median over all slices. */
  time: Record<Name, number>
  /** Median over all slices of the ratio of two contestants' times in the same slice. */
  ratio(name: Name, base: Name): number
}

/**
 * Measures all contestants in turns in short slices, so that other load of the machine affects all equally.
 */
export async function compareContestants<Name extends string>(
  contestants: Record<Name, () => Promise<unknown>>,
  { slices, calls }: { slices: number; calls: number },
): Promise<Comparison<Name>> {
  const names = Object.keys(contestants) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >
  for (let slice = -Math.ceil(slices / 10); slice < slices; slice++) {
    // Each slice begins with another contestant.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + slice + names.length * slices) % names.length] as Name
      const call = contestants[name]
      const start = performance.now()
      for (let index = 0; index < calls; index++) await call()
      const time = (performance.now() - start) / calls
      // The slices before zero are a warm-up.
      if (slice >= 0) times[name].push(time)
    }
  }
  return {
    time: Object.fromEntries(names.map((name) => [name, computeMedian(times[name])])) as Record<
      Name,
      number
    >,
    ratio: (name, base) =>
      computeMedian(times[name].map((time, slice) => time / (times[base][slice] ?? Number.NaN))),
  }
}
