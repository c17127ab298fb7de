import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openBrowser } from '../../scripts/browsers.ts'
import { inFront } from '../browser/support/pages.ts'
import { computeMedian } from './report.ts'
const hosts = JSON.parse(readFileSync('/tmp/exp/hosts.json', 'utf8')) as Record<string, string>
const only = process.argv[4]?.split(',')
const names = Object.keys(hosts).filter((n) => !only || only.includes(n) || n === 'bare')
const server = createServer((_, r) => r.writeHead(200, { 'content-type': 'text/html', 'cache-control': 'no-store' }).end('<!doctype html><title>Empty</title>'))
await new Promise<void>((resolve) => server.listen(0, resolve))
const { port } = server.address() as AddressInfo
const browser = await openBrowser(process.argv[2] as 'chromium', { preferences: { 'privacy.reduceTimerPrecision': false } } as never)
await browser.installExtension('/tmp/exp/ext')
const page = await browser.newPage()
await inFront(page)
const times: Record<string, number[]> = {}
const ROUNDS = Number(process.argv[3])
for (let round = -2; round < ROUNDS; round++) {
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round + 2) % names.length] as string
    const loads: number[] = []
    for (let load = 0; load < 6; load++) {
      await page.goto(`http://${hosts[name]}:${port}/empty`)
      const time = await page.evaluate(() => {
        const [navigation] = performance.getEntriesByType('navigation')
        const { responseStart, domContentLoadedEventStart } = navigation as PerformanceNavigationTiming
        return domContentLoadedEventStart - responseStart
      })
      if (load > 0) loads.push(time)
    }
    if (round >= 0) (times[name] ??= []).push(computeMedian(loads))
  }
}
console.log(process.argv[2], names.map((n) => `${n} ${(computeMedian((times[n] ?? []).map((t, i) => t - (times.bare?.[i] ?? 0)))).toFixed(2)}`).join('  '), 'bare', computeMedian(times.bare ?? []).toFixed(2))
await browser.close()
server.closeAllConnections(); server.close()
