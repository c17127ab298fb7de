/**
 * Tests the content security policy of the broker's own pages, as the browser enforces it. An attacker who
 * inserts markup into a page runs no script, loads no resource and sends no request.
 *
 * Seen to fail with `default-src *` and `img-src *`, and without Trusted Types.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { test } from '../browser/fixtures.ts'
import { openPage } from '../browser/support/pages.ts'
import { openScreen, type Stage } from '../browser/support/stage.ts'

const SCREENS = ['/ui/popup/index.html', '/ui/sites/index.html', '/ui/operators/index.html']

interface Watched {
  violations?: Set<string>
}

/** Makes every attempt that markup could make. The page records the directive that blocks each attempt. */
function tryMarkup(screen: Page): Promise<void> {
  return screen.evaluate(() => {
    const violations = new Set<string>()
    Object.assign(window, { violations })
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
      violations.add(effectiveDirective)
    })
    const add = (tag: string, members: object) =>
      document.body.append(Object.assign(document.createElement(tag), members))
    add('img', { src: 'https://evil.example/pixel.png' })
    add('iframe', { src: 'https://evil.example/' })
    add('video', { src: 'https://evil.example/film' })
    add('link', { rel: 'stylesheet', href: 'https://evil.example/style.css' })
    const inline = document.createElement('p')
    inline.setAttribute('style', 'color: red')
    document.body.append(inline)
    const base = document.createElement('base')
    base.href = 'https://evil.example/'
    document.head.append(base)
    const form = document.createElement('form')
    form.action = 'https://evil.example/'
    document.body.append(form)
    try {
      form.submit()
    } catch {
      // Firefox throws at once if the policy forbids the action.
    }
  })
}

const violationsIn = (screen: Page) =>
  screen.evaluate(() => [...((window as Watched).violations ?? [])].sort())

/** Expects that no earlier request has arrived once a later request has arrived (barrier). */
async function expectNothingSent({ browser, outside }: Stage): Promise<void> {
  await openPage(browser, 'https://after.example/')
  expect(outside.requests).toContain('https://after.example/')
  // A browser may connect without a request, and may send a request over an existing connection.
  const reached = [...outside.connections, ...outside.requests].join()
  expect(reached).not.toContain('evil.example')
}

describe('the policy of the broker’s own pages', () => {
  test.for(SCREENS)(
    'E04: %s loads and sends nothing that is not its own',
    async (path, { stage }) => {
      const screen = await openScreen(stage, path)
      await tryMarkup(screen)
      await expect
        .poll(() => violationsIn(screen))
        .toEqual([
          'base-uri',
          'form-action',
          'frame-src',
          'img-src',
          'media-src',
          'style-src-attr',
          'style-src-elem',
        ])
      await expectNothingSent(stage)
    },
  )

  test('E04, E09: no script comes from text: not inline, not as a handler, not as markup', async ({
    stage,
  }) => {
    const screen = await openScreen(stage)
    const outcome = await screen.evaluate(async () => {
      const tried: Record<string, string> = {}
      const attempt = (what: string, run: () => void) => {
        try {
          run()
          tried[what] = 'taken'
        } catch (error) {
          tried[what] = (error as Error).name
        }
      }
      const target = document.createElement('div')
      document.body.append(target)
      attempt('innerHTML', () => {
        target.innerHTML = '<img src=x onerror="document.title=1">'
      })
      attempt('script text', () => {
        const script = document.createElement('script')
        script.text = 'document.title = "ran"'
        document.body.append(script)
      })
      attempt('script address', () => {
        const script = document.createElement('script')
        script.src = 'https://evil.example/script.js'
        document.body.append(script)
      })
      attempt('handler', () => target.setAttribute('onclick', 'document.title = "ran"'))
      target.click()
      // Barrier: the first image would have loaded before this image fails.
      await new Promise((resolve) => {
        const image = document.createElement('img')
        image.onerror = resolve
        image.src = 'no-such-file'
        target.append(image)
      })
      return { tried, title: document.title }
    })
    expect(outcome.title).toBe('Northkey')
    expect(outcome.tried).toMatchObject({
      innerHTML: 'TypeError',
      'script text': 'TypeError',
      'script address': 'TypeError',
    })
    await expectNothingSent(stage)
  })
})
