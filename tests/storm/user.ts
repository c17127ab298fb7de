/**
 * Simulates the user of a storm: signs in and consents at the operator, answers the consent window of the
 * broker, and closes a window that is a dead end.
 *
 * The user looks when something has happened: a window opened, changed or closed, or a server has answered.
 * Firefox reports nothing of the broker's own pages, so the user looks from time to time as well.
 */

import type { Page, Target } from 'puppeteer-core'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { addressOf, until } from '../browser/support/pages.ts'
import type { PlannedFlow } from './plan.ts'
import type { World } from './world.ts'

const LOOK_INTERVAL_MS = 100
/** Time for which a window has to be a dead end before it is given up. */
const DEAD_END_MS = 160
/** Limit of a check: a page that navigates may not answer. */
const CHECK_TIMEOUT_MS = 5_000
const CONSENT = '/ui/consent/'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A window that a flow has opened. */
interface FlowWindow {
  /** The same for the same window. */
  id: Page | Target
  readAddress(): Promise<string>
  /** The page to operate. In Chromium it may take long, while the window navigates. */
  page(): Promise<Page | null>
}

/** Pages without an address in Firefox: the browser itself keeps one for attempts without a window. */
const EMPTY = 'about:blank'

/**
 * Lists the windows that the flows have opened. Firefox's driver has no address of the broker's own pages,
 * so the page itself is asked.
 */
export async function listFlowWindows({ name, browser, kept }: World): Promise<FlowWindow[]> {
  if (name === 'firefox') {
    const found: FlowWindow[] = []
    for (const page of await browser.pages()) {
      const address = kept.has(page) ? EMPTY : await addressOf(page)
      if (address === EMPTY) continue
      found.push({ id: page, readAddress: async () => address, page: async () => page })
    }
    return found
  }
  const keptTargets = new Set([...kept].map((page) => page.target()))
  return browser
    .targets()
    .filter((target) => target.type() === 'page' && !keptTargets.has(target))
    .map((target) => ({
      id: target,
      readAddress: async () => target.url(),
      page: () => target.page(),
    }))
}

/**
 * Closes the windows as their close button does. In Chromium from outside, since a page that navigates may
 * not answer.
 */
export async function closeWindows(world: World): Promise<void> {
  const { name, browser, kept } = world
  if (name === 'chromium') {
    const keptUrls = [...kept].map((page) => page.url())
    const session = await browser.target().createCDPSession()
    const { targetInfos } = await session.send('Target.getTargets')
    for (const { targetId, type, url } of targetInfos) {
      if (type === 'page' && !keptUrls.includes(url))
        await session.send('Target.closeTarget', { targetId })
    }
    await session.detach()
  } else {
    for (const window of await listFlowWindows(world)) {
      await (await window.page())?.close().catch(() => {})
    }
  }
  await until('the windows to close', async () => (await listFlowWindows(world)).length === 0)
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

/** Resolves at the next event of the browser's windows or of the servers, and after a while without one. */
function createOccasions({ browser, network }: World) {
  let wake = () => {}
  const handle = () => wake()
  const events = ['targetcreated', 'targetchanged', 'targetdestroyed'] as const
  for (const event of events) browser.on(event, handle)
  const stopLog = network.log.onCompleted(handle)
  return {
    next: () =>
      Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve
        }),
        pause(LOOK_INTERVAL_MS),
      ]),
    stop() {
      stopLog()
      for (const event of events) browser.off(event, handle)
    },
  }
}

/**
 * Runs until the flow is over.
 *
 * @param signal Aborted at the end of the flow.
 * @param atConsent Runs before the user answers the consent window.
 * @returns Number of windows that the user gave up.
 */
export async function simulateUser(
  world: World,
  answer: PlannedFlow['answer'],
  signal: AbortSignal,
  atConsent: () => Promise<void>,
): Promise<number> {
  const [subscriber] = world.network.subscribers.all
  /** Times since which windows are dead ends. */
  const deadEnds = new Map<FlowWindow['id'], number>()
  const answered = new Set<FlowWindow['id']>()
  let givenUp = 0

  async function checkWindow({ id, readAddress, page: openPage }: FlowWindow): Promise<void> {
    const url = await readAddress()
    const atOperator = /^https?:/.test(url) && !url.startsWith(REDIRECT_BASE[world.name])
    if (!atOperator && !url.includes(CONSENT)) return
    const page = await openPage()
    if (!page) return
    if (!atOperator) {
      if (answered.has(id) || !(await isConsentReady(page))) return
      answered.add(id)
      await atConsent()
      return answerBroker(page, answer)
    }
    const { phoneNumber = '', password = '' } = subscriber ?? {}
    const check = await page.evaluate(answerOperator, phoneNumber, password)
    if (check !== 'a dead end') {
      deadEnds.delete(id)
      return
    }
    const since = deadEnds.get(id) ?? performance.now()
    deadEnds.set(id, since)
    if (performance.now() - since < DEAD_END_MS) return
    givenUp += 1
    await page.close()
  }

  const occasions = createOccasions(world)
  while (!signal.aborted) {
    const occasion = occasions.next()
    // A window may close or navigate during its check.
    for (const window of await listFlowWindows(world)) {
      await Promise.race([checkWindow(window).catch(() => {}), pause(CHECK_TIMEOUT_MS)])
    }
    await occasion
  }
  occasions.stop()
  return givenUp
}
