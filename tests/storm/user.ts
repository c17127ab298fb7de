/**
 * The user of a storm: signs in and allows what the operator asks, answers the broker's own question,
 * and closes a window in which nothing more will come.
 */

import type { Page, Target } from 'puppeteer-core'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { until } from '../browser/support/pages.ts'
import type { PlannedFlow } from './plan.ts'
import type { World } from './world.ts'

const LOOK_EVERY_MS = 40
/** A window is given up when it looked so at so many looks in a row. */
const LOOKS = 4
/** A page that is on its way elsewhere may not answer. */
const LONGEST_LOOK_MS = 5_000
const CONSENT = '/ui/consent/'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Windows that the flows have opened. */
export function flowWindows({ browser, worker, sites }: World): Target[] {
  const kept = [worker.page, ...sites.map(({ page }) => page)].map((page) => page.target())
  return browser.targets().filter((each) => each.type() === 'page' && !kept.includes(each))
}

/** As with the windows' own button: nothing is asked of the pages in them, which may be on their way. */
export async function closeWindows(world: World): Promise<void> {
  const { browser, worker, sites } = world
  const kept = [worker.page.url(), ...sites.map(({ page }) => page.url())]
  const session = await browser.target().createCDPSession()
  const { targetInfos } = await session.send('Target.getTargets')
  for (const { targetId, type, url } of targetInfos) {
    if (type === 'page' && !kept.includes(url))
      await session.send('Target.closeTarget', { targetId })
  }
  await session.detach()
  await until('the windows to close', async () => flowWindows(world).length === 0)
}

type Seen = 'nothing yet' | 'answered' | 'a dead end'

/** Runs in the operator's page. */
function answerOperator(phoneNumber: string, password: string): Seen {
  const { dataset } = document.documentElement
  if (document.readyState !== 'complete') return 'nothing yet'
  if (dataset.answered) return 'answered'
  const signIn = document.querySelector<HTMLFormElement>('[data-form=password]')
  const consent = document.querySelector<HTMLFormElement>('[data-form=consent]')
  if (!signIn && !consent) return 'a dead end'
  dataset.answered = 'true'
  for (const field of signIn?.querySelectorAll('input') ?? []) {
    if (field.name === 'phone_number') field.value = phoneNumber
    if (field.name === 'password') field.value = password
  }
  signIn?.querySelector<HTMLButtonElement>('[type=submit]')?.click()
  consent?.querySelector<HTMLButtonElement>('[value=allow]')?.click()
  return 'answered'
}

async function answerBroker(consent: Page, answer: PlannedFlow['answer']): Promise<void> {
  if (answer === 'close') await consent.close()
  else await consent.click(`[data-testid=${answer}]`)
}

/** Whether the broker's question is on the screen and its buttons may be pressed. */
async function isAsked(consent: Page): Promise<boolean> {
  await consent.bringToFront()
  return (await consent.$('[data-testid=allow]:not([disabled])')) !== null
}

/**
 * @param atConsent What comes before the user answers the broker.
 * @returns How many windows the user gave up.
 */
export async function beUser(
  world: World,
  answer: PlannedFlow['answer'],
  isOver: () => boolean,
  atConsent: () => Promise<void>,
): Promise<number> {
  const [subscriber] = world.network.subscribers.all
  const deadEnds = new Map<Target, number>()
  const answered = new Set<Target>()
  let givenUp = 0

  async function lookAt(target: Target): Promise<void> {
    const url = target.url()
    const atOperator = /^https?:/.test(url) && !url.startsWith(REDIRECT_BASE.chromium)
    if (!atOperator && !url.includes(CONSENT)) return
    const page = await target.page()
    if (!page) return
    if (!atOperator) {
      if (answered.has(target) || !(await isAsked(page))) return
      answered.add(target)
      await atConsent()
      return answerBroker(page, answer)
    }
    const { phoneNumber = '', password = '' } = subscriber ?? {}
    const seen = await page.evaluate(answerOperator, phoneNumber, password)
    const looks = seen === 'a dead end' ? (deadEnds.get(target) ?? 0) + 1 : 0
    deadEnds.set(target, looks)
    if (looks < LOOKS) return
    givenUp += 1
    await page.close()
  }

  while (!isOver()) {
    // A window may close or go on while it is looked at.
    for (const target of flowWindows(world)) {
      await Promise.race([lookAt(target).catch(() => {}), pause(LONGEST_LOOK_MS)])
    }
    await pause(LOOK_EVERY_MS)
  }
  return givenUp
}
