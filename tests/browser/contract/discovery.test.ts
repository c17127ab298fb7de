/**
 * Tests section 1 of the contract: discovery of the broker by a page, and the documents in which no broker is
 * found.
 *
 * Seen to fail when:
 * - the provider announces itself without a request, answers a request twice, or has an `info` that is not
 *   frozen;
 * - `uuid` is a constant;
 * - the scripts enter frames and `window === top` is not checked;
 * - the scripts enter every site and `isSecureContext` is not checked;
 * - a global is left behind;
 * - a file is web accessible;
 * - the listeners are not added again after `document.open()`.
 */

import { readdir } from 'node:fs/promises'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { Provider, ProviderInfo } from '../../../shared/messages/page-api.ts'
import { test } from '../fixtures.ts'
import { findsBroker } from '../support/discovery.ts'
import { openTab } from '../support/pages.ts'
import { UUID_V4 } from '../support/shapes.ts'

const BARE = '<!DOCTYPE html><html><head><title>Bare</title></head><body></body></html>'

/** Counts the announcements, from the first script of the page on. */
const COUNTING = `<script>
  window.announced = 0
  window.addEventListener('northbound:announceProvider', ({ detail }) => {
    window.announced++
    window.detail = detail
  })
  window.ask = () => window.dispatchEvent(new Event('northbound:requestProvider'))
</script>`

interface Counting {
  announced: number
  ask(): void
}

const infoOf = (document: Page) =>
  document.evaluate(async () => ((await window.broker()) as { info: ProviderInfo }).info)

describe('a page that asks for the provider', () => {
  test('discovery: the broker announces only as an answer, once for each ask', async ({
    stage,
  }) => {
    stage.application.routes.set('/counting', { html: COUNTING, raw: true })
    const counting = await stage.open('/counting')
    const counts = await counting.evaluate(async () => {
      const own = window as unknown as Counting
      const seen = [own.announced]
      for (let time = 0; time < 3; time++) {
        own.ask()
        seen.push(own.announced)
      }
      // Barrier: an announcement without a request would arrive before the answer to a later call.
      const { provider } = window.detail as { provider: Provider }
      await provider.request({ method: 'broker_getInfo' })
      return [...seen, own.announced]
    })
    expect(counts).toEqual([0, 1, 2, 3, 3])
  })

  test('H16: discovery: a document that is written anew finds the broker, and its calls are answered', async ({
    page,
  }) => {
    const found = await page.evaluate(async () => {
      document.open()
      document.write('<!DOCTYPE html><title>Anew</title><p>Written</p>')
      document.close()
      const asked = new Promise<{ provider: Provider }>((resolve) => {
        window.addEventListener('northbound:announceProvider', (event) =>
          resolve((event as CustomEvent).detail),
        )
      })
      // The end of the task in which the document was opened.
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)))
      window.dispatchEvent(new Event('northbound:requestProvider'))
      const { provider } = await asked
      const { protocol } = await provider.request({ method: 'broker_getInfo' })
      return [document.title, protocol]
    })
    expect(found).toEqual(['Anew', '1'])
    expect(await findsBroker(page)).toBe(true)
  })

  test('discovery: detail is frozen, with everything in it', async ({ page }) => {
    const { parts, loose } = await page.evaluate(async () => {
      const seen = new Set<unknown>()
      const loose: string[] = []
      const look = (value: unknown, path: string): void => {
        if (Object(value) !== value || seen.has(value)) return
        seen.add(value)
        if (!Object.isFrozen(value)) loose.push(path)
        for (const key of Reflect.ownKeys(value as object)) {
          look(Reflect.get(value as object, key), `${path}.${String(key)}`)
        }
      }
      look(await window.broker(), 'detail')
      return { parts: seen.size, loose }
    })
    expect(parts).toBeGreaterThanOrEqual(6)
    expect(loose).toEqual([])
  })

  test('discovery: detail is { info, provider }, and info has its six members', async ({
    page,
  }) => {
    const members = await page.evaluate(async () => {
      const { provider, ...rest } = (await window.broker()) as { provider: object }
      return { rest, provider: Object.keys(provider).sort() }
    })
    expect(members.provider).toEqual(['on', 'removeListener', 'request'])
    expect(members.rest).toStrictEqual({
      info: {
        uuid: expect.stringMatching(UUID_V4),
        name: expect.stringMatching(/./),
        rdns: expect.stringMatching(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/),
        icon: expect.stringMatching(/^data:image\//),
        version: expect.stringMatching(/^\d+(?:\.\d+)+/),
        protocol: '1',
      },
    })
  })

  test('discovery: uuid is the same in one document and another in each', async ({
    stage,
    page,
  }) => {
    const second = await stage.open()
    const first = (await infoOf(page)).uuid
    const uuids = [first, (await infoOf(second)).uuid]
    expect((await infoOf(page)).uuid).toBe(first)
    await second.reload()
    uuids.push((await infoOf(second)).uuid)
    expect(new Set(uuids).size).toBe(3)
  })

  test('discovery: icon is an image', async ({ page }) => {
    const { icon } = await infoOf(page)
    const isLoaded = await page.evaluate(async (src) => {
      const image = new Image()
      image.src = src
      await image.decode()
      return image.complete
    }, icon)
    expect(isLoaded).toBe(true)
  })
})

describe('a page without the broker', () => {
  test('discovery: only a top-level document is answered', async ({ stage }) => {
    stage.application.routes.set('/framing', { html: '<iframe src="/framed"></iframe>' })
    const framing = await stage.open('/framing')
    const [top, frame] = framing.frames()
    if (!top || !frame) return expect.unreachable('a document with a frame')
    expect([await findsBroker(top), await findsBroker(frame)]).toEqual([true, false])
  })

  test.for([
    ['discovery: only a secure context is answered', 'http://plain.example/', false],
    ['discovery: only a site that is switched on is answered', 'https://other.example/', true],
  ] as const)('%s', async ([, url, isSecure], { stage, page }) => {
    expect(await findsBroker(page)).toBe(true)
    const elsewhere = await openTab(stage.browser)
    await elsewhere.goto(url)
    expect(await elsewhere.evaluate(() => window.isSecureContext)).toBe(isSecure)
    expect(await findsBroker(elsewhere)).toBe(false)
  })

  test('discovery: without asking there is no global and no element', async ({ stage }) => {
    stage.application.routes.set('/bare', { html: BARE, raw: true })
    const globalsAt = async (url: string) => {
      const visited = await openTab(stage.browser)
      await visited.goto(url)
      return visited.evaluate(() => ({
        globals: Object.getOwnPropertyNames(window),
        html: document.documentElement.outerHTML,
      }))
    }
    const here = await globalsAt(`${stage.application.origin}/bare`)
    const { globals } = await globalsAt('https://other.example/')
    expect(here.globals.filter((name) => !globals.includes(name))).toEqual([])
    expect(`<!DOCTYPE html>${here.html}`).toBe(BARE)
  })

  test('discovery: no file of the broker is web accessible', async ({ stage, page }) => {
    const entries = await readdir(stage.extensionPath, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(stage.extensionPath.length))
    expect(files).toContain('/manifest.json')
    const reached = await page.evaluate(
      async (origin, paths) => {
        const answers = await Promise.all(
          paths.map((path) =>
            fetch(origin + path).then(
              () => path,
              () => undefined,
            ),
          ),
        )
        return answers.filter((path) => path !== undefined)
      },
      stage.brokerOrigin,
      files,
    )
    expect(reached).toEqual([])
  })
})
