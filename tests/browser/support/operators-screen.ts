/** Operates the broker's own screen of operators, as a user does who has received a file from an operator. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElementHandle, Page } from 'puppeteer-core'
import { openScreen, type Stage } from './stage.ts'

/** Opens the screen in a foreground tab. */
export async function openOperators(stage: Pick<Stage, 'browser' | 'brokerOrigin'>): Promise<Page> {
  const screen = await openScreen(stage, '/ui/operators/index.html')
  await screen.bringToFront()
  return screen
}

/**
 * Chooses a file, and waits for the broker's result of the check.
 *
 * @param content Text, or a value that is serialized as JSON.
 * @param shown The `data-testid` of the result.
 */
export async function chooseFile(
  screen: Page,
  content: unknown,
  shown: 'confirmation' | 'reasons' = 'confirmation',
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
  const file = join(folder, 'profile.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  const input = (await screen.$('[data-testid=file]')) as ElementHandle<HTMLInputElement> | null
  await input?.uploadFile(file)
  await screen.waitForSelector(`[data-testid=${shown}]`)
  await rm(folder, { recursive: true, force: true })
}
