/**
 * Remembers the servers that an operator's metadata named and its profile did not, until the browser session ends
 * or the metadata name them no more. The screen of operators shows them; the broker does not use them.
 */

import browser from 'webextension-polyfill'
import type { ServerAdditions } from '../../../shared/messages/screen-channel.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

const KEY = 'unnamedServers'

/** By issuer. */
type Unnamed = Record<string, ServerAdditions>

const runInQueue = createSerialQueue()

export async function readUnnamedServers(): Promise<Unnamed> {
  return ((await browser.storage.session.get(KEY))[KEY] as Unnamed | undefined) ?? {}
}

/** @param additions `undefined`: the profile names all servers. */
export function rememberUnnamedServers(
  issuer: string,
  additions: ServerAdditions | undefined,
): Promise<void> {
  return runInQueue(async () => {
    const { [issuer]: earlier, ...others } = await readUnnamedServers()
    if (!earlier && !additions) return
    const unnamed = additions ? { ...others, [issuer]: additions } : others
    await browser.storage.session.set({ [KEY]: unnamed })
  })
}
