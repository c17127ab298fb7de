/**
 * Measures what the scripts of the extension add to the load of an empty page, from the response to
 * `DOMContentLoaded`: beside a page without scripts of an extension, and beside one with two empty scripts.
 */

import type { Page } from 'puppeteer-core'
import { inFront } from '../../browser/support/pages.ts'
import { computeMedian, type Goal } from '../report.ts'
import type { BenchStage } from './stage.ts'

const ROUNDS = 14
const WARM_UP = 2
/** Loads of a page in each round. The first one follows a change of the tab, and does not count. */
const LOADS = 8

/** Hosts of this machine. The manifests of the extensions name the first two. */
const HOSTS = { own: 'localhost', empty: '127.0.0.2', bare: '127.0.0.3' } as const

/** Loads the page some times. @returns The median of the milliseconds from its response to `DOMContentLoaded`. */
async function measureLoads(page: Page, url: string): Promise<number> {
  await inFront(page)
  const times: number[] = []
  for (let load = 0; load < LOADS; load++) {
    await page.goto(url)
    const time = await page.evaluate(() => {
      const [navigation] = performance.getEntriesByType('navigation')
      const { responseStart, domContentLoadedEventStart } =
        navigation as PerformanceNavigationTiming
      return domContentLoadedEventStart - responseStart
    })
    if (load > 0) times.push(time)
  }
  return computeMedian(times)
}

export async function measurePageLoad(stage: BenchStage): Promise<Goal[]> {
  const names = Object.keys(HOSTS) as (keyof typeof HOSTS)[]
  const tabs = await Promise.all(names.map(() => stage.browser.newPage()))
  const times = { own: [] as number[], empty: [] as number[], bare: [] as number[] }
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      // Each round begins with another page.
      const index = (turn + round + WARM_UP) % names.length
      const [name, page] = [names[index], tabs[index]]
      if (!name || !page) continue
      const url = `http://${HOSTS[name]}:${stage.signInServer.port}/empty`
      const timeMs = await measureLoads(page, url)
      if (round >= 0) times[name].push(timeMs)
    }
  }
  for (const page of tabs) await page.close()
  const computeAddition = (name: 'own' | 'empty') =>
    computeMedian(times[name].map((time, round) => time - (times.bare[round] ?? Number.NaN)))
  const added = computeAddition('own')
  const format = (ms: number) => `+${ms.toFixed(2)} ms`
  const base = computeMedian(times.bare).toFixed(2)
  return [
    {
      name: `an empty page, response to DOMContentLoaded (bare ${base} ms, two empty scripts ${format(computeAddition('empty'))})`,
      measured: format(added),
      limit: '+1.00 ms',
      met: added <= 1,
    },
  ]
}
