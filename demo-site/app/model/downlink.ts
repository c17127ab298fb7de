/**
 * How fast the network's data really comes: reads the network's endless stream and counts. The figure
 * is measured here, so that a QoS session shows by what it does and not by what was promised.
 */

export interface DownlinkOptions {
  /** An endless download that passes the user plane. */
  url: string
  fetch: typeof fetch
  /** Milliseconds of a clock that never goes back. */
  now(): number
  /** `undefined`: nothing can be measured just now. */
  report(bitsPerSecond: number | undefined): void
  signal: AbortSignal
  /** How long each measurement takes. Default: 500 ms. */
  windowMs?: number
  /** How long to wait after a failure. Default: 3 s. */
  pauseMs?: number
}

/** Measures until it is aborted. */
export async function watchDownlink(options: DownlinkOptions): Promise<void> {
  const { report, signal, pauseMs = 3_000 } = options
  while (!signal.aborted) {
    // A stream that breaks is asked for again; there is nothing better to do about it.
    await measureStream(options).catch(() => {})
    if (signal.aborted) return
    report(undefined)
    await waitOrAbort(pauseMs, signal)
  }
}

async function measureStream({ url, fetch, now, report, signal, windowMs = 500 }: DownlinkOptions) {
  const { body } = await fetch(url, { credentials: 'omit', cache: 'no-store', signal })
  if (!body) return
  const reader = body.getReader()
  let startedAtMs = now()
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.byteLength
    const elapsedMs = now() - startedAtMs
    if (elapsedMs < windowMs) continue
    report((bytes * 8 * 1000) / elapsedMs)
    startedAtMs = now()
    bytes = 0
  }
}

function waitOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Megabits per second, as people write them. */
export function formatRate(bitsPerSecond: number): string {
  const megabits = bitsPerSecond / 1_000_000
  return `${megabits.toFixed(megabits < 10 ? 1 : 0)} Mbit/s`
}
