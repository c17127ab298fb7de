/**
 * The content security policy of the broker's own pages, as the browser enforces it: whoever got markup
 * into one of them runs nothing, loads nothing and sends nothing.
 *
 * Seen to fail with `default-src *` and `img-src *`, and without Trusted Types.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gesture } from '../browser/support/known-subscriber.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  openScreen,
  type Stage,
  startStage,
} from '../browser/support/stage.ts'

const SCREENS = ['/ui/popup/index.html', '/ui/sites/index.html', '/ui/operators/index.html']

describe.each(BROWSERS)('in %s, the policy of the broker’s own pages', (name) => {
  let stage: Stage

  beforeAll(async () => {
    stage = await startStage(name)
    const page = await stage.open()
    await gesture(page)
    const outcome = call(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'deny')
    await outcome
  })
  afterAll(() => stage?.close())

  /** What markup could try, each by the directive that has to stop it. */
  function tryMarkup(screen: Page): Promise<string[]> {
    return screen.evaluate(async () => {
      const stopped = new Set<string>()
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        stopped.add(effectiveDirective)
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
        // Firefox refuses at once what its policy forbids.
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
      return [...stopped].sort()
    })
  }

  test.each(SCREENS)('E04: %s loads and sends nothing that is not its own', async (path) => {
    const screen = await openScreen(stage, path)
    const stopped = await tryMarkup(screen)
    expect(stopped).toEqual([
      'base-uri',
      'form-action',
      'frame-src',
      'img-src',
      'media-src',
      'style-src-attr',
      'style-src-elem',
    ])
    expect(stage.outside.connections).not.toContain('evil.example')
    await screen.close()
  })

  test('E04, E09: no script comes from text: not inline, not as a handler, not as markup', async () => {
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
      await new Promise((resolve) => setTimeout(resolve, 300))
      return { tried, title: document.title }
    })
    expect(outcome.title).toBe('Northkey')
    expect(outcome.tried).toMatchObject({
      innerHTML: 'TypeError',
      'script text': 'TypeError',
      'script address': 'TypeError',
    })
    expect(stage.outside.connections).not.toContain('evil.example')
    await screen.close()
  })
})
