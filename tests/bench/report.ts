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

/** All orders of the items. */
function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  )
}

/**
 * Measures all contestants in turns in short slices, so that other load of the machine affects all equally.
 * The slices take all orders in turn: a contestant pays for the garbage of the one before it, so in one fixed
 * order the same one would always pay for the same other.
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
  const orders = permutations(names)
  // Slices below zero are the warm-up: until then the engine compiles what it will run.
  for (let slice = -slices; slice < slices; slice++) {
    for (const name of orders[(slice + slices * orders.length) % orders.length] ?? []) {
      const call = contestants[name]
      const start = performance.now()
      for (let index = 0; index < calls; index++) await call()
      const time = (performance.now() - start) / calls
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
