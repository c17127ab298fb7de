/**
 * Tests requests of a page for files of the extension. No page of the broker is shown in a frame of a site,
 * and no file can be fetched.
 *
 * The controls make the same attempts against an extension whose files are web accessible and whose pages may
 * be framed. There the page is shown and the files are fetched.
 *
 * Seen to fail when the broker itself is built in that way.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Frame, Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { test } from '../browser/fixtures.ts'
import { openScreen, type Stage } from '../browser/support/stage.ts'

const POPUP = 'ui/popup/index.html'
const FILES = ['manifest.json', 'icons/16.png', POPUP]

/** Makes the extension insecure: every site may load its files, and show its pages in a frame. */
async function openToAll(extension: string): Promise<void> {
  const path = join(extension, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  manifest.web_accessible_resources = [{ resources: ['*'], matches: ['<all_urls>'] }]
  const { extension_pages } = manifest.content_security_policy
  manifest.content_security_policy.extension_pages = extension_pages.replace(
    /frame-ancestors [^;]*;/,
    '',
  )
  await writeFile(path, JSON.stringify(manifest))
}

/** Opens the popup in a frame of a page, and then in a tab. The load of the frame has finished by then. */
async function frameScreen(stage: Stage, page: Page): Promise<Frame> {
  await page.evaluate((address) => {
    const frame = document.createElement('iframe')
    frame.src = address
    document.body.append(frame)
  }, `${stage.brokerOrigin}/${POPUP}`)
  await openScreen(stage, `/${POPUP}`)
  const frame = page.frames().find((candidate) => candidate !== page.mainFrame())
  if (!frame) throw new Error('no frame')
  return frame
}

/** Counts the elements of the screen in a frame. The browser's error page and an empty frame have none. */
const elementsIn = (frame: Frame) =>
  frame.evaluate(() => document.querySelectorAll('#screen > *').length)

/** Returns the files of the extension that a page can fetch. */
function fetchFiles({ brokerOrigin }: Stage, page: Page): Promise<string[]> {
  return page.evaluate(
    async (origin, files) => {
      const attempts = files.map((file) =>
        fetch(`${origin}/${file}`).then(
          () => [file],
          () => [],
        ),
      )
      return (await Promise.all(attempts)).flat()
    },
    brokerOrigin,
    [...FILES, 'demo-operators.json'],
  )
}

describe('a page that asks for files of the extension', () => {
  test('E05, V9: a page of the broker does not show in a frame', async ({ stage, page }) => {
    expect(await elementsIn(await frameScreen(stage, page))).toBe(0)
  })

  test('M3, B26: no file of the broker can be fetched by a page', async ({ stage, page }) => {
    expect(await fetchFiles(stage, page)).toEqual([])
  })

  describe('control: an extension that is open to all', () => {
    const control = test.extend('options', { prepareExtension: openToAll })

    control('E05, V9: shows its page in a frame', async ({ stage, page }) => {
      const frame = await frameScreen(stage, page)
      await expect.poll(() => elementsIn(frame)).toBeGreaterThan(0)
    })

    control('M3, B26: gives its files to a page', async ({ stage, page }) => {
      expect(await fetchFiles(stage, page)).toEqual(expect.arrayContaining(FILES))
    })
  })
})
