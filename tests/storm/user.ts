/**
 * Simulates the user of a storm: signs in and consents at the operator, answers the consent window of the
 * broker, and closes a window that is a dead end.
 */

import type { Page, Target } from 'puppeteer-core'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { until } from '../browser/support/pages.ts'
import type { PlannedFlow } from './plan.ts'
import type { World } from './world.ts'

const POLL_INTERVAL_MS = 40
/** Number of consecutive checks with a dead end after which a window is given up. */
const MAX_DEAD_ENDS = 4
/** Limit of a check: a page that navigates may not answer. */
const CHECK_TIMEOUT_MS = 5_000
const CONSENT = '/ui/consent/'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Lists the windows that the flows have opened. */
export function listFlowWindows({ browser, worker, sites }: World): Target[] {
  const kept = [worker.page, ...sites.map(({ page }) => page)].map((page) => page.target())
  return browser.targets().filter((target) => target.type() === 'page' && !kept.includes(target))
}

/**
 * Closes the windows from outside, as their close button does, since a page that navigates may not answer.
 */
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
  await until('the windows to close', async () => listFlowWindows(world).length === 0)
}

type Check = 'nothing yet' | 'answered' | 'a dead end'

/** Answers the form of the operator. Runs in its page. */
function answerOperator(phoneNumber: string, password: string): Check {
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

/** Tells whether the consent window is shown and its buttons are enabled. */
async function isConsentReady(consent: Page): Promise<boolean> {
  await consent.bringToFront()
  return (await consent.$('[data-testid=allow]:not([disabled])')) !== null
}

/**
 * Runs until the flow is over.
 *
 * @param atConsent Runs before the user answers the consent window.
 * @returns Number of windows that the user gave up.
 */
export async function simulateUser(
  world: World,
  answer: PlannedFlow['answer'],
  isOver: () => boolean,
  atConsent: () => Promise<void>,
): Promise<number> {
  const [subscriber] = world.network.subscribers.all
  const deadEnds = new Map<Target, number>()
  const answered = new Set<Target>()
  let givenUp = 0

  async function checkWindow(target: Target): Promise<void> {
    const url = target.url()
    const atOperator = /^https?:/.test(url) && !url.startsWith(REDIRECT_BASE.chromium)
    if (!atOperator && !url.includes(CONSENT)) return
    const page = await target.page()
    if (!page) return
    if (!atOperator) {
      if (answered.has(target) || !(await isConsentReady(page))) return
      answered.add(target)
      await atConsent()
      return answerBroker(page, answer)
    }
    const { phoneNumber = '', password = '' } = subscriber ?? {}
    const check = await page.evaluate(answerOperator, phoneNumber, password)
    const count = check === 'a dead end' ? (deadEnds.get(target) ?? 0) + 1 : 0
    deadEnds.set(target, count)
    if (count < MAX_DEAD_ENDS) return
    givenUp += 1
    await page.close()
  }

  while (!isOver()) {
    // A window may close or navigate during its check.
    for (const target of listFlowWindows(world)) {
      await Promise.race([checkWindow(target).catch(() => {}), pause(CHECK_TIMEOUT_MS)])
    }
    await pause(POLL_INTERVAL_MS)
  }
  return givenUp
}
