/**
 * Section 1 of the contract: how a page finds the broker, and where it finds nothing.
 *
 * Seen to fail when: the provider announces itself once without being asked, answers each ask twice, or
 * its `info` is not frozen; `uuid` is a constant; `window === window.top` is not asked; the scripts
 * enter every site and `isSecureContext` is not asked; a global is left behind; a file is web
 * accessible.
 */

import { readdir } from 'node:fs/promises'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProviderInfo } from '../../../shared/messages/page-api.ts'
import { gesture } from '../support/known-subscriber.ts'
import { UUID_V4 } from '../support/shapes.ts'
import { answerConsent, BROWSERS, call, type Stage, startStage } from '../support/stage.ts'

const BARE = '<!DOCTYPE html><html><head><title>Bare</title></head><body></body></html>'

/** Counts what is announced, from before the page's first script can have missed anything. */
const COUNTING = `<script>
  window.announced = 0
  window.addEventListener('northbound:announceProvider', () => window.announced++)
  window.ask = () => window.dispatchEvent(new Event('northbound:requestProvider'))
</script>`

interface Counting {
  announced: number
  ask(): void
}

describe.each(BROWSERS)('in %s, a page', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
    stage.application.routes.set('/bare', { html: BARE, raw: true })
    stage.application.routes.set('/counting', { html: COUNTING, raw: true })
    stage.application.routes.set('/framing', { html: '<iframe src="/counting"></iframe>' })
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  const infoOf = (document: Page) =>
    document.evaluate(async () => ((await window.broker()) as { info: ProviderInfo }).info)

  test('discovery: the broker announces only as an answer, once for each ask', async () => {
    const counting = await stage.open('/counting')
    const counts = await counting.evaluate(async () => {
      const own = window as unknown as Counting
      await new Promise((resolve) => setTimeout(resolve, 500))
      const seen = [own.announced]
      for (let time = 0; time < 3; time++) {
        own.ask()
        seen.push(own.announced)
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
      return [...seen, own.announced]
    })
    expect(counts).toEqual([0, 1, 2, 3, 3])
    await counting.close()
  })

  test('discovery: detail is frozen, with everything in it', async () => {
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

  test('discovery: detail is { info, provider }, and info has its six members', async () => {
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

  test('discovery: uuid is the same in one document and another in each', async () => {
    const second = await stage.open()
    const first = (await infoOf(page)).uuid
    const uuids = [first, (await infoOf(second)).uuid]
    expect((await infoOf(page)).uuid).toBe(first)
    await second.reload()
    uuids.push((await infoOf(second)).uuid)
    expect(new Set(uuids).size).toBe(3)
    await second.close()
  })

  test('discovery: icon is an image', async () => {
    const loaded = await page.evaluate(
      async (src) => {
        const image = new Image()
        image.src = src
        await new Promise((resolve, reject) => {
          image.onload = resolve
          image.onerror = reject
        })
        return image.complete
      },
      (await infoOf(page)).icon,
    )
    expect(loaded).toBe(true)
  })

  const askIn = (document: { evaluate: Page['evaluate'] }): Promise<boolean> =>
    document.evaluate(
      () =>
        new Promise<boolean>((resolve) => {
          window.addEventListener('northbound:announceProvider', () => resolve(true))
          window.dispatchEvent(new Event('northbound:requestProvider'))
          setTimeout(resolve, 300, false)
        }),
    )

  test('discovery: only a top-level document is answered', async () => {
    const framing = await stage.open('/framing')
    const [top, frame] = framing.frames()
    if (!top || !frame) return expect.unreachable('a document with a frame')
    expect([await askIn(top), await askIn(frame)]).toEqual([true, false])
    await framing.close()
  })

  test.each([
    ['discovery: only a secure context is answered', 'http://plain.example/', false],
    ['discovery: only a site that is switched on is answered', 'https://other.example/', true],
  ])('%s', async (_, url, secure) => {
    const elsewhere = await stage.browser.newPage()
    await elsewhere.goto(url)
    expect(await elsewhere.evaluate(() => window.isSecureContext)).toBe(secure)
    expect(await askIn(elsewhere)).toBe(false)
    await elsewhere.close()
  })

  test('discovery: without asking there is no global and no element', async () => {
    const globalsAt = async (url: string) => {
      const visited = await stage.browser.newPage()
      await visited.goto(url)
      const seen = await visited.evaluate(() => ({
        globals: Object.getOwnPropertyNames(window),
        html: document.documentElement.outerHTML,
      }))
      await visited.close()
      return seen
    }
    const here = await globalsAt(`${stage.application.origin}/bare`)
    const { globals } = await globalsAt('https://other.example/')
    expect(here.globals.filter((each) => !globals.includes(each))).toEqual([])
    expect(`<!DOCTYPE html>${here.html}`).toBe(BARE)
  })

  test('discovery: no file of the broker is web accessible', async () => {
    // Firefox makes up the broker's origin; one of its own windows tells.
    await gesture(page)
    const outcome = call(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'deny')
    await outcome
    const entries = await readdir(stage.extensionPath, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name: file }) =>
        `${parentPath}/${file}`.slice(stage.extensionPath.length),
      )
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
