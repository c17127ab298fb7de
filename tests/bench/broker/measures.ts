/** Measures the broker, each time as a ratio of contestants that take turns in the same slices. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'puppeteer-core'
import { until } from '../../browser/support/pages.ts'
import { computeMedian, type Goal } from '../report.ts'
import { startPeer } from './peer.ts'
import { type Bench, type BenchStage, TOKEN_SECONDS } from './stage.ts'

export interface Row {
  name: string
  time: string
  base: string
  ratio: number
  limit: number
}

export const formatMs = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`

type Times = Record<string, number[]>

function measureSlices(
  page: Page,
  names: string[],
  options: { slices: number; calls: number; pauseMs?: number; warmUp?: number },
): Promise<Times> {
  return page.evaluate(
    (contestants, settings) =>
      (window as unknown as { bench: Bench }).bench.measureSlices(contestants, settings),
    names,
    options,
  )
}

function createRow(name: string, times: Times, key: string, base: string, limit: number): Row {
  const [own = [], baseTimes = []] = [times[key], times[base]]
  return {
    name,
    time: formatMs(computeMedian(own)),
    base: formatMs(computeMedian(baseTimes)),
    ratio: computeMedian(own.map((time, slice) => time / (baseTimes[slice] ?? Number.NaN))),
    limit,
  }
}

/** Measures a cached token. */
export async function measureToken(stage: BenchStage, title = 'cached token ÷ bare round trip') {
  // A browser needs some hundred calls until it has compiled the code in its three processes.
  const how = { slices: 45, calls: 30, warmUp: 20 }
  const times = await measureSlices(stage.page, ['bare', 'token'], how)
  // The broker limits the rate of an origin: the pause refills its bucket for the next measurement.
  await sleep(15_000)
  return createRow(title, times, 'token', 'bare', 1.25)
}

/** Measures 1,000 concurrent calls, equal (deduplicated) and different (batched). */
export async function measureThousandCalls(stage: BenchStage): Promise<Row[]> {
  const measureThousand = (name: string, count: number, pauseMs: number) =>
    measureSlices(stage.page, ['thousandBare', name], { slices: count, calls: 1, pauseMs })
  const equal = await measureThousand('thousandEqual', 25, 250)
  // The broker limits the rate of an origin: the pause refills its bucket.
  const different = await measureThousand('thousandDifferent', 5, 5_000)
  return [
    createRow('1,000 equal calls ÷ 1,000 bare', equal, 'thousandEqual', 'thousandBare', 0.1),
    createRow(
      '1,000 different calls ÷ 1,000 bare',
      different,
      'thousandDifferent',
      'thousandBare',
      1.25,
    ),
  ]
}

/** Measures `northbound_fetch`. */
export async function measureFetch(stage: BenchStage): Promise<Row[]> {
  const small = await measureSlices(stage.page, ['pageSmall', 'brokerSmall'], {
    slices: 25,
    calls: 10,
  })
  const large = await measureSlices(stage.page, ['pageLarge', 'brokerLarge'], {
    slices: 25,
    calls: 2,
  })
  const client = await measureSlices(stage.page, ['pageLarge', 'bareLarge', 'clientLarge'], {
    slices: 60,
    calls: 2,
  })
  return [
    createRow('northbound_fetch of 1 kB ÷ the page’s own', small, 'brokerSmall', 'pageSmall', 1.5),
    createRow('northbound_fetch of 1 MiB ÷ the page’s own', large, 'brokerLarge', 'pageLarge', 1.5),
    createRow(
      'northkey/page: fetch of 1 MiB, to the last byte ÷ the page’s own',
      client,
      'clientLarge',
      'pageLarge',
      1.3,
    ),
    createRow(
      '1 MiB through an empty extension ÷ the page’s own',
      client,
      'bareLarge',
      'pageLarge',
      Number.POSITIVE_INFINITY,
    ),
  ]
}

/** Measures the same calls of the closest peer as ratios to the page's own calls. They have no goal. */
export async function measurePeer(stage: BenchStage): Promise<Row[]> {
  const peer = await startPeer(stage.browser, stage.signInServer)
  try {
    const rows: Row[] = []
    for (const [path, own, calls, size] of [
      ['small', 'pageSmall', 10, '1 kB'],
      ['large', 'pageLarge', 2, '1 MiB'],
    ] as const) {
      const times: Times = { peer: [], page: [] }
      for (let turn = 0; turn < 12; turn++) {
        const how = { slices: 1, calls }
        const peerTimes = await peer.measureSlices(path, how)
        const [pageTime] = (await measureSlices(stage.page, [own], how))[own] ?? []
        if (turn > 0) times.peer?.push(...peerTimes)
        if (turn > 0) times.page?.push(pageTime ?? Number.NaN)
      }
      rows.push(
        createRow(`@axa-fr/oidc-client: ${size} ÷ the page’s own`, times, 'peer', 'page', Infinity),
      )
    }
    return rows
  } finally {
    await peer.close()
  }
}

/**
 * Measures the first call after a stop of the worker. Chromium only: in Firefox the stop itself needs more
 * time.
 */
export async function measureColdStart(stage: BenchStage): Promise<Row | undefined> {
  if (stage.brokerOrigin === undefined) return undefined
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const session = await page.createCDPSession()
  await session.send('ServiceWorker.enable')
  const listWorkers = () =>
    stage.browser.targets().filter((target) => target.type() === 'service_worker')
  await stage.page.bringToFront()
  const times: Times = { bare: [], token: [] }
  for (let round = -1; round < 15; round++) {
    for (const name of round % 2 === 0 ? ['bare', 'token'] : ['token', 'bare']) {
      await session.send('ServiceWorker.stopAllWorkers')
      await until('the workers to stop', async () => listWorkers().length === 0)
      await sleep(150)
      const time = await stage.page.evaluate(
        (contestant) => (window as unknown as { bench: Bench }).bench.measureCall(contestant),
        name,
      )
      if (round >= 0) times[name]?.push(time)
      await sleep(150)
    }
  }
  await page.close()
  return createRow('cached token, worker stopped ÷ empty extension', times, 'token', 'bare', 1.3)
}

/** Measures look-ups of a new worker beside bare round trips. */
async function measureLookUps(stage: BenchStage, broker: Page): Promise<Times> {
  const session = await broker.createCDPSession()
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await session.detach()
  await stage.page.bringToFront()
  return measureSlices(stage.page, ['bare', 'lookUp'], { slices: 30, calls: 15, warmUp: 10 })
}

/** Measures look-ups among 10,000 grants. A page of the broker's origin writes them to the database. */
export async function measureManyGrants(stage: BenchStage): Promise<Row | undefined> {
  if (stage.brokerOrigin === undefined) return undefined
  const page = await stage.browser.newPage()
  await page.goto(`${stage.brokerOrigin}/icons/16.png`)
  const few = createRow('1 grant', await measureLookUps(stage, page), 'lookUp', 'bare', Infinity)
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
      // Ten of them belong to the measured origin.
      const owner = i % 1_000 === 0 ? origin : `https://${i % 1_000}.example`
      const grantId = crypto.randomUUID()
      grants.put({ ...model, origin: owner, grantId, mode: 'fetch' }, [owner, grantId])
    }
    await new Promise((resolve) => {
      transaction.oncomplete = resolve
    })
    database.close()
  }, stage.application.origin)
  const many = createRow(
    '10,000 grants',
    await measureLookUps(stage, page),
    'lookUp',
    'bare',
    Infinity,
  )
  await page.close()
  return {
    name: 'look-up, 10,000 grants ÷ 1 grant',
    time: `${many.ratio.toFixed(2)} of bare`,
    base: `${few.ratio.toFixed(2)} of bare`,
    ratio: many.ratio / few.ratio,
    limit: 1.2,
  }
}

/** Measures 50 callers in 5 tabs with an expired token and a delay of 50 ms at the token endpoint. */
export async function measureExpiry(stage: BenchStage): Promise<Goal[]> {
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
        (seconds) => (window as unknown as { bench: Bench }).bench.countServedCallers(10, seconds),
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
      measured: formatMs(time),
      limit: '265 ms',
      met: time < 265,
    },
  ]
}
