/**
 * Measures the downlink: reads the endless stream of the network and counts its bytes. The page shows the measured
 * rate, not the promised one, so that the effect of a QoS session is visible.
 */

export interface DownlinkOptions {
  /** URL of an endless download over the user plane. */
  url: string
  fetch: typeof fetch
  /** Milliseconds of a monotonic clock. */
  now(): number
  /** Called for each window; `undefined` when nothing can be measured. */
  report(bitsPerSecond: number | undefined): void
  signal: AbortSignal
  /** Duration of a measurement. Default: 500 ms. */
  windowMs?: number
  /** Pause after a failure. Default: 3 s. */
  pauseMs?: number
}

/** Measures until it is aborted. */
export async function watchDownlink(options: DownlinkOptions): Promise<void> {
  const { report, signal, pauseMs = 3_000 } = options
  while (!signal.aborted) {
    // A stream that fails is requested again after a pause.
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

/** Formats a rate in megabits per second. */
export function formatRate(bitsPerSecond: number): string {
  const megabits = bitsPerSecond / 1_000_000
  return `${megabits.toFixed(megabits < 10 ? 1 : 0)} Mbit/s`
}
