/**
 * Tests the page's own world, in which the provider runs: the objects that a hostile page replaces there, and
 * the objects that it finds there. A site that is not switched on finds no provider.
 *
 * Seen to fail when the provider evaluates `'error' in data` or assigns the members of an error (B14), when
 * an answer contains the token (B15), and when the scripts enter any site (B26).
 */

import { describe, expect } from 'vitest'
import { CONTENT_READY_EVENT } from '../../shared/messages/document-channel.ts'
import type { FetchResult, Provider, ProviderErrorObject } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { expectServed, subscriptionsUrl } from '../browser/support/api-calls.ts'
import { findsBroker } from '../browser/support/discovery.ts'
import { openPage } from '../browser/support/pages.ts'

describe('the world of the page', () => {
  test('B14: a page that replaces the platform’s functions hurts only itself', async ({
    stage,
    page,
    granted,
  }) => {
    const hostile = await stage.open()
    const outcome = await hostile.evaluate(async (url) => {
      await window.broker()
      const { provider } = window.detail as { provider: Provider }
      const taken: unknown[] = []
      const spy = function spy(this: unknown, ...values: unknown[]) {
        taken.push(...values)
        throw new Error('replaced')
      }
      const then = Promise.prototype.then
      const replaced: [object, string][] = [
        [MessagePort.prototype, 'postMessage'],
        [window, 'postMessage'],
        [window, 'MessageChannel'],
        [window, 'structuredClone'],
        [window, 'setTimeout'],
        [window, 'dispatchEvent'],
        [window, 'queueMicrotask'],
        [window, 'fetch'],
        [window, 'CustomEvent'],
        [JSON, 'stringify'],
        [JSON, 'parse'],
        [Object, 'freeze'],
        [Object, 'assign'],
      ]
      const before = replaced.map(([target, key]) => Object.getOwnPropertyDescriptor(target, key))
      for (const [object, key] of replaced) {
        Object.defineProperty(object, key, { value: spy, configurable: true, writable: true })
      }
      const poisoned = ['code', 'data', 'error', 'result', 'event', 'method', 'params', 'id', 'key']
      for (const key of poisoned) {
        Object.defineProperty(Object.prototype, key, { set: spy, configurable: true })
      }
      Reflect.set(Promise.prototype, 'then', spy)
      const settled: Record<string, unknown> = {}
      const calling = {
        grants: provider.request({ method: 'northbound_getGrants' }),
        joined: provider.request({ method: 'northbound_getGrants' }),
        answer: provider.request({ method: 'northbound_fetch', params: { url } }),
        refused: provider.request({ method: 'northbound_nothing' }),
      }
      Reflect.set(Promise.prototype, 'then', then)
      for (const [name, promise] of Object.entries(calling)) {
        settled[name] = await then.call(
          promise,
          (result: unknown) =>
            Array.isArray(result) ? result.length : (result as FetchResult).status,
          (error: ProviderErrorObject) => error.code,
        )
      }
      for (const key of poisoned) Reflect.deleteProperty(Object.prototype, key)
      for (const [i, [object, key]] of replaced.entries()) {
        const descriptor = before[i]
        if (descriptor) Object.defineProperty(object, key, descriptor)
        else Reflect.deleteProperty(object, key)
      }
      return settled
    }, subscriptionsUrl(granted))
    expect(outcome).toEqual({ grants: 1, joined: 1, answer: 200, refused: 4200 })
    await expectServed(page, granted)
  })

  test('B15: no token, verifier, code or key is in the page’s world', async ({
    stage,
    page,
    granted,
  }) => {
    await expectServed(page, granted)
    const authorization = String(
      stage.network.log.filter({ server: 'api-exposing-functions' }).at(-1)?.headers.authorization,
    )
    const token = authorization.split(' ')[1] ?? ''
    expect(token.length).toBeGreaterThan(20)
    const reachable = await page.evaluate(() => {
      const seen = new Set<unknown>()
      const texts: string[] = []
      const look = (value: unknown, depth: number): void => {
        if (typeof value === 'string') texts.push(value)
        if (typeof value === 'function') texts.push(String(value))
        const isThing = (typeof value === 'object' && value !== null) || typeof value === 'function'
        if (!isThing || seen.has(value) || depth > 6) return
        seen.add(value)
        for (const key of Reflect.ownKeys(value as object)) {
          try {
            look(Reflect.get(value as object, key), depth + 1)
          } catch {
            // A getter that requires another receiver.
          }
        }
      }
      look(window.detail, 0)
      look(window.seen, 0)
      return texts.join('\n') + JSON.stringify([{ ...localStorage }, { ...sessionStorage }])
    })
    expect(reachable).toContain(granted.grantId)
    for (const secret of [token, 'refresh_token', 'code_verifier']) {
      expect(reachable).not.toContain(secret)
    }
  })

  test('pages have none of the browser’s interfaces for extensions', async ({ page }) => {
    expect(await findsBroker(page)).toBe(true)
    const reach = await page.evaluate(() => {
      const { chrome, browser } = window as unknown as Record<string, { runtime?: unknown }>
      return [typeof chrome?.runtime, typeof browser?.runtime]
    })
    expect(reach).toEqual(['undefined', 'undefined'])
  })

  test('B26: a site that is not switched on finds no trace', async ({ stage, page }) => {
    const elsewhere = await openPage(stage.browser, 'https://elsewhere.invalid/')
    await elsewhere.evaluate((name) => window.dispatchEvent(new Event(name)), CONTENT_READY_EVENT)
    expect(await findsBroker(page)).toBe(true)
    expect(await findsBroker(elsewhere)).toBe(false)
    const names = await elsewhere.evaluate(() =>
      Object.getOwnPropertyNames(window).filter((name) => /north|broker/i.test(name)),
    )
    expect(names).toEqual([])
  })
})
