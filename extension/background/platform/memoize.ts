/**
 * Memoizes what is read: the first caller reads, and all get the same until it is reset or the worker ends.
 * A failed read is not kept: the next caller reads anew.
 */

export interface MemoByKey<T> {
  get(key: string): Promise<T>
  delete(key: string): void
  clear(): void
}

export function memoizeByKey<T>(read: (key: string) => Promise<T>): MemoByKey<T> {
  const reads = new Map<string, Promise<T>>()
  return {
    get(key) {
      const known = reads.get(key)
      if (known) return known
      const reading = read(key).catch((error) => {
        if (reads.get(key) === reading) reads.delete(key)
        throw error
      })
      reads.set(key, reading)
      return reading
    },
    delete: (key) => void reads.delete(key),
    clear: () => reads.clear(),
  }
}

export interface Memo<T> {
  (): Promise<T>
  /** The next caller reads anew. */
  reset(): void
}

export function memoize<T>(read: () => Promise<T>): Memo<T> {
  const memo = memoizeByKey(() => read())
  return Object.assign(() => memo.get(''), { reset: memo.clear })
}
