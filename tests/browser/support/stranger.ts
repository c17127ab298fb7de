/** A page of another application, on an origin of its own: it has no grant, and the operator does not know it. */

import type { Page } from 'puppeteer-core'
import { onTestFinished } from 'vitest'
import { startApplication } from './application.ts'
import type { Stage } from './stage.ts'

/** Opens the page; its server closes with the test. */
export async function openStranger({ browser }: Pick<Stage, 'browser'>): Promise<Page> {
  const application = await startApplication()
  onTestFinished(() => application.close())
  const page = await browser.newPage()
  await page.goto(application.origin)
  return page
}
