/**
 * Memoizes an asynchronous read: the first caller starts it, and all callers share its result until a reset
 * or the end of the worker. A failed read is not memoized: the next caller reads again.
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
      const memoized = reads.get(key)
      if (memoized) return memoized
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
  /** Discards the result: the next caller reads again. */
  reset(): void
}

export function memoize<T>(read: () => Promise<T>): Memo<T> {
  const memo = memoizeByKey(() => read())
  return Object.assign(() => memo.get(''), { reset: memo.clear })
}
