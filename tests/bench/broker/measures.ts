/** The measurements, each as a ratio of what takes turns in the same slices. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'puppeteer-core'
import { until } from '../../browser/support/pages.ts'
import type { Goal } from '../report.ts'
import { startPeer } from './peer.ts'
import { type Bench, type BenchStage, TOKEN_SECONDS } from './stage.ts'

export interface Row {
  name: string
  time: string
  base: string
  ratio: number
  limit: number
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const milliseconds = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`

type Times = Record<string, number[]>

function slices(
  page: Page,
  names: string[],
  options: { slices: number; calls: number; pauseMs?: number; warmUp?: number },
): Promise<Times> {
  return page.evaluate(
    (given, how) => (window as unknown as { bench: Bench }).bench.slices(given, how),
    names,
    options,
  )
}

function rowOf(name: string, times: Times, key: string, base: string, limit: number): Row {
  const [own = [], others = []] = [times[key], times[base]]
  return {
    name,
    time: milliseconds(median(own)),
    base: milliseconds(median(others)),
    ratio: median(own.map((time, slice) => time / (others[slice] ?? Number.NaN))),
    limit,
  }
}

export async function tokenRow(stage: BenchStage, title = 'cached token ÷ bare round trip') {
  // Until a browser has compiled what runs in three of its processes, some hundred calls go by.
  const how = { slices: 45, calls: 30, warmUp: 20 }
  const times = await slices(stage.page, ['bare', 'token'], how)
  // The broker counts what an origin asks: what is measured next may ask as much again.
  await sleep(15_000)
  return rowOf(title, times, 'token', 'bare', 1.25)
}

export async function thousandRows(stage: BenchStage): Promise<Row[]> {
  const ask = (name: string, count: number, pauseMs: number) =>
    slices(stage.page, ['thousandBare', name], { slices: count, calls: 1, pauseMs })
  const equal = await ask('thousandEqual', 25, 250)
  // The broker counts what an origin asks; it needs the pause, the page does not.
  const different = await ask('thousandDifferent', 5, 5_000)
  return [
    rowOf('1,000 equal calls ÷ 1,000 bare', equal, 'thousandEqual', 'thousandBare', 0.1),
    rowOf(
      '1,000 different calls ÷ 1,000 bare',
      different,
      'thousandDifferent',
      'thousandBare',
      1.25,
    ),
  ]
}

export async function fetchRows(stage: BenchStage): Promise<Row[]> {
  const small = await slices(stage.page, ['pageSmall', 'sealedSmall'], { slices: 25, calls: 10 })
  const large = await slices(stage.page, ['pageLarge', 'sealedLarge'], { slices: 25, calls: 2 })
  return [
    rowOf('northbound_fetch of 1 kB ÷ the page’s own', small, 'sealedSmall', 'pageSmall', 1.5),
    rowOf('northbound_fetch of 1 MiB ÷ the page’s own', large, 'sealedLarge', 'pageLarge', 1.5),
  ]
}

/** What the closest peer takes for the same calls, beside a page's own; it has no goal of ours. */
export async function peerRows(stage: BenchStage): Promise<Row[]> {
  const peer = await startPeer(stage.browser, stage.setting.api ?? '')
  try {
    const rows: Row[] = []
    for (const [path, own, calls, size] of [
      ['small', 'pageSmall', 10, '1 kB'],
      ['large', 'pageLarge', 2, '1 MiB'],
    ] as const) {
      const times: Times = { peer: [], page: [] }
      for (let turn = 0; turn < 12; turn++) {
        const how = { slices: 1, calls }
        const theirs = await peer.slices(path, how)
        const [ours] = (await slices(stage.page, [own], how))[own] ?? []
        if (turn > 0) times.peer?.push(...theirs)
        if (turn > 0) times.page?.push(ours ?? Number.NaN)
      }
      rows.push(
        rowOf(`@axa-fr/oidc-client: ${size} ÷ the page’s own`, times, 'peer', 'page', Infinity),
      )
    }
    return rows
  } finally {
    await peer.close()
  }
}

/** In Chromium alone: Firefox's event page is stopped by way of its page of extensions, which costs more. */
export async function coldRow(stage: BenchStage): Promise<Row | undefined> {
  if (stage.brokerOrigin === undefined) return undefined
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const session = await page.createCDPSession()
  await session.send('ServiceWorker.enable')
  const workers = () => stage.browser.targets().filter((one) => one.type() === 'service_worker')
  await stage.page.bringToFront()
  const times: Times = { bare: [], token: [] }
  for (let round = -1; round < 15; round++) {
    for (const name of round % 2 === 0 ? ['bare', 'token'] : ['token', 'bare']) {
      await session.send('ServiceWorker.stopAllWorkers')
      await until('the workers to stop', async () => workers().length === 0)
      await sleep(150)
      const time = await stage.page.evaluate(
        (given) => (window as unknown as { bench: Bench }).bench.time(given),
        name,
      )
      if (round >= 0) times[name]?.push(time)
      await sleep(150)
    }
  }
  await page.close()
  return rowOf('cached token, worker stopped ÷ empty extension', times, 'token', 'bare', 1.3)
}

/** Look-ups of a worker that has just begun, each beside bare round trips of the same moment. */
async function lookUps(stage: BenchStage, broker: Page): Promise<Times> {
  const session = await broker.createCDPSession()
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await session.detach()
  await stage.page.bringToFront()
  return slices(stage.page, ['bare', 'lookUp'], { slices: 30, calls: 15, warmUp: 10 })
}

/** How long a look-up takes beside many grants: the broker's own database is filled by its own page. */
export async function manyGrantsRow(stage: BenchStage): Promise<Row | undefined> {
  if (stage.brokerOrigin === undefined) return undefined
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const few = rowOf('1 grant', await lookUps(stage, page), 'lookUp', 'bare', Infinity)
  await page.evaluate(async (origin) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open('northkey-grants')
      opening.onsuccess = () => resolve(opening.result)
      opening.onerror = () => reject(opening.error)
    })
    const transaction = database.transaction('grants', 'readwrite')
    const grants = transaction.objectStore('grants')
    const [model] = await new Promise<Record<string, unknown>[]>((resolve) => {
      const reading = grants.getAll()
      reading.onsuccess = () => resolve(reading.result)
    })
    for (let i = 0; i < 10_000; i++) {
      // Ten of them belong to the origin that asks.
      const owner = i % 1_000 === 0 ? origin : `https://${i % 1_000}.example`
      const grantId = crypto.randomUUID()
      grants.put({ ...model, origin: owner, grantId, mode: 'fetch' }, [owner, grantId])
    }
    await new Promise((resolve) => {
      transaction.oncomplete = resolve
    })
    database.close()
  }, stage.application.origin)
  const many = rowOf('10,000 grants', await lookUps(stage, page), 'lookUp', 'bare', Infinity)
  await page.close()
  return {
    name: 'look-up, 10,000 grants ÷ 1 grant',
    time: `${many.ratio.toFixed(2)} of bare`,
    base: `${few.ratio.toFixed(2)} of bare`,
    ratio: many.ratio / few.ratio,
    limit: 1.2,
  }
}

/** Fifty callers in five tabs, the token at its end, the token endpoint 50 ms away. */
export async function expiryGoals(stage: BenchStage): Promise<Goal[]> {
  const { network } = stage
  const tabs = [stage.page]
  while (tabs.length < 5) tabs.push(await stage.open())
  const delay = network.faults.add({
    server: 'authorization-function',
    method: 'POST',
    path: '*/token',
    action: { type: 'delay', ms: 50 },
  })
  await sleep(2_000)
  network.log.clear()
  const begun = performance.now()
  const served = await Promise.all(
    tabs.map((tab) =>
      tab.evaluate(
        (seconds) => (window as unknown as { bench: Bench }).bench.callers(10, seconds),
        TOKEN_SECONDS - 1,
      ),
    ),
  )
  const time = performance.now() - begun
  const refreshes = network.log.filter({ method: 'POST', path: /\/token$/ }).length
  network.faults.remove(delay)
  const failures = 50 - served.reduce((sum, count) => sum + count, 0)
  for (const tab of tabs.slice(1)) await tab.close()
  return [
    {
      name: '50 callers in 5 tabs at expiry: refreshes / failures',
      measured: `${refreshes} / ${failures}`,
      limit: '1 / 0',
      met: refreshes === 1 && failures === 0,
    },
    {
      name: '50 callers in 5 tabs at expiry: time',
      measured: milliseconds(time),
      limit: '265 ms',
      met: time < 265,
    },
  ]
}
