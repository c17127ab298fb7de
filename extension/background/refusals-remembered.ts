/**
 * A user who has said no three times within ten minutes is left alone for ten minutes: the page gets
 * the same refusal without another window. A "yes" in between forgets it.
 */

import browser from 'webextension-polyfill'

const NAME = 'refusals'
const SPAN_MS = 10 * 60_000
const MOST = 3

type Refusals = Record<string, number[]>

const keyOf = (origin: string, issuer: string) => `${origin} ${issuer}`

/** The times, in order, of the refusals that still count. */
export function recent(times: number[], now: number): number[] {
  return times.filter((time) => time > now - SPAN_MS)
}

export function isLeftAlone(times: number[], now: number): boolean {
  return recent(times, now).length >= MOST
}

async function read(): Promise<Refusals> {
  return ((await browser.storage.session.get(NAME))[NAME] as Refusals | undefined) ?? {}
}

export async function hasRefused(origin: string, issuer: string): Promise<boolean> {
  return isLeftAlone((await read())[keyOf(origin, issuer)] ?? [], Date.now())
}

export async function rememberRefusal(origin: string, issuer: string): Promise<void> {
  const now = Date.now()
  const all = await read()
  const key = keyOf(origin, issuer)
  const times = [...recent(all[key] ?? [], now), now]
  await browser.storage.session.set({ [NAME]: { ...all, [key]: times } })
}

export async function forgetRefusals(origin: string, issuer: string): Promise<void> {
  const { [keyOf(origin, issuer)]: _, ...rest } = await read()
  await browser.storage.session.set({ [NAME]: rest })
}
