/**
 * Measures a first sign-in of a subscriber who has a session at the authorization server, where no consent window is
 * shown: from the click to the grant, beside the closest peer, and beside a window that an empty extension opens and
 * that is redirected at once.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { inFront } from '../../browser/support/pages.ts'
import { computeMedian, type Goal } from '../report.ts'
import { formatMs } from './measures.ts'
import { measurePeerSignIn } from './peer.ts'
import type { Bench, BenchStage } from './stage.ts'

/** The browser compiles the code of a sign-in during these. */
const WARM_UP = 4
/** Time for what follows a sign-in or a page's start: a window that closes, a request that was made ahead. */
const PAUSE_MS = 400

interface SignIn {
  timeMs: number
  /** Requests to the authorization server from the click to the grant. */
  requests: number
}

/** Signs in at an origin that has no grant. */
async function signInFirst(stage: BenchStage, origin: string): Promise<SignIn> {
  const { signInServer, browser, setting } = stage
  const page = await browser.newPage()
  await page.goto(origin)
  await inFront(page)
  await page.evaluate(() => (window as unknown as { bench: Bench }).bench.start())
  await sleep(PAUSE_MS)
  signInServer.requests.length = 0
  const timeMs = await page.evaluate(
    (params) => (window as unknown as { bench: Bench }).bench.measureConnect(params),
    {
      issuer: signInServer.issuer,
      mode: 'token',
      apis: [{ resource: setting.api ?? '', scope: 'read' }],
    },
  )
  const requests = signInServer.requests.length
  await sleep(PAUSE_MS)
  await page.close()
  return { timeMs, requests }
}

/** Opens a window of the empty extension: at the server, or at a picture from where it goes on to the server. */
async function openBareWindow(
  { page }: BenchStage,
  contestant: 'window' | 'waitingWindow',
): Promise<number> {
  await inFront(page)
  const timeMs = await page.evaluate(
    (name) => (window as unknown as { bench: Bench }).bench.measureCall(name),
    contestant,
  )
  await sleep(PAUSE_MS)
  return timeMs
}

export async function measureFirstSignIn(stage: BenchStage): Promise<Goal[]> {
  const own: SignIn[] = []
  const bare: number[] = []
  const waiting: number[] = []
  const peer: number[] = []
  for (const [round, origin] of stage.firstOrigins.entries()) {
    const measured = {
      own: await signInFirst(stage, origin),
      bare: await openBareWindow(stage, 'window'),
      waiting: await openBareWindow(stage, 'waitingWindow'),
      peer: await measurePeerSignIn(stage.browser, stage.signInServer),
    }
    if (round < WARM_UP) continue
    own.push(measured.own)
    bare.push(measured.bare)
    waiting.push(measured.waiting)
    peer.push(measured.peer)
  }
  const time = computeMedian(own.map(({ timeMs }) => timeMs))
  const requests = computeMedian(own.map((signIn) => signIn.requests))
  const floor = computeMedian(waiting)
  const list = [
    `an empty extension's window ${formatMs(floor)}`,
    `at the server at once ${formatMs(computeMedian(bare))}`,
    `axa ${formatMs(computeMedian(peer))}`,
  ].join(', ')
  return [
    {
      name: `first sign-in, from click to grant (${list})`,
      measured: formatMs(time),
      limit: '130 ms',
      met: time <= 130,
    },
    {
      name: 'first sign-in ÷ the window of an empty extension',
      measured: (time / floor).toFixed(2),
      limit: '2',
      met: time / floor <= 2,
    },
    {
      name: 'first sign-in: requests to the authorization server',
      measured: String(requests),
      limit: '2',
      met: requests <= 2,
    },
  ]
}
