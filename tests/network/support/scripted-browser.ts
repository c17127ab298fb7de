/**
 * Browser without a window: keeps cookies, follows redirects, submits forms. It stops at the redirect host of the
 * broker, as the extension does, so that a test can read the authorization response there.
 */

import { request } from 'node:http'
import { type HTMLElement, parse } from 'node-html-parser'
import { CookieJar } from 'tough-cookie'

const MAX_REDIRECTS = 20

export interface Page {
  url: URL
  status: number
  headers: Headers
  text: string
  document: HTMLElement
  /** Name of the operator's screen, from its `data-screen` hook. */
  screen: string | undefined
}

export interface BrowserOptions {
  /** Source address of the requests, as the access network sees it. */
  address?: string
}

interface RequestDetails {
  url: URL
  method: string
  body?: URLSearchParams
}

export class ScriptedBrowser {
  readonly cookies = new CookieJar(undefined, { allowSpecialUseDomain: true })
  /** All answers, newest last. */
  readonly history: { url: string; status: number; headers: Headers }[] = []
  readonly #address: string | undefined

  constructor(options: BrowserOptions = {}) {
    this.#address = options.address
  }

  open(url: string | URL): Promise<Page> {
    return this.#navigate({ url: new URL(url), method: 'GET' })
  }

  /** Fills the form that has this `data-form` hook and submits it, by the named button if given. */
  submit(
    page: Page,
    form: string,
    values: Record<string, string> = {},
    button?: { name: string; value: string },
  ): Promise<Page> {
    const element = page.document.querySelector(`form[data-form="${form}"]`)
    if (!element) throw new Error(`the screen "${page.screen}" has no form "${form}"`)
    const body = new URLSearchParams()
    for (const input of element.querySelectorAll('input, select, textarea')) {
      const name = input.getAttribute('name')
      const kind = input.getAttribute('type')
      if (!name || ((kind === 'checkbox' || kind === 'radio') && !input.hasAttribute('checked'))) {
        continue
      }
      body.append(name, values[name] ?? input.getAttribute('value') ?? '')
    }
    for (const name of Object.keys(values)) {
      if (!body.has(name)) throw new Error(`the form "${form}" has no field "${name}"`)
    }
    if (button) {
      const selector = `button[name="${button.name}"][value="${button.value}"]`
      if (!element.querySelector(selector)) throw new Error(`no button ${selector}`)
      body.append(button.name, button.value)
    }
    const url = new URL(element.getAttribute('action') ?? '', page.url)
    return this.#navigate({ url, method: 'POST', body })
  }

  /** Sends the POST request that a script of the page would send. */
  async post(url: string | URL): Promise<unknown> {
    const { text, status } = await this.#send({ url: new URL(url), method: 'POST' })
    if (status !== 200) throw new Error(`POST answered ${status}`)
    return JSON.parse(text)
  }

  async #navigate(first: RequestDetails): Promise<Page> {
    let next = first
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      // The redirect host of the broker: no request is sent there.
      if (next.url.protocol === 'https:') return emptyPage(next.url)
      const page = await this.#send(next)
      this.history.push({ url: page.url.href, status: page.status, headers: page.headers })
      const location = page.headers.get('location')
      if (page.status < 300 || page.status > 399 || location === null) return page
      next = { url: new URL(location, page.url), method: 'GET' }
    }
    throw new Error('too many redirects')
  }

  async #send({ url, method, body }: RequestDetails): Promise<Page> {
    const headers: Record<string, string> = { accept: 'text/html' }
    const cookie = await this.cookies.getCookieString(url.href)
    if (cookie !== '') headers.cookie = cookie
    if (body) headers['content-type'] = 'application/x-www-form-urlencoded'
    const answer = await sendRequest(
      url,
      { method, headers, address: this.#address },
      body?.toString(),
    )
    for (const line of answer.headers.getSetCookie()) {
      await this.cookies.setCookie(line, url.href, { ignoreError: true })
    }
    const document = parse(answer.text)
    const screen = document.querySelector('[data-screen]')?.getAttribute('data-screen')
    return { url, document, screen, ...answer }
  }
}

function emptyPage(url: URL): Page {
  return {
    url,
    status: 0,
    headers: new Headers(),
    text: '',
    document: parse(''),
    screen: undefined,
  }
}

interface SendOptions {
  method: string
  headers: Record<string, string>
  address: string | undefined
}

/** Sends a request from a given address, which `fetch` cannot do; a UE on the mobile network has its own. */
export function sendRequest(
  url: URL,
  { method, headers, address }: SendOptions,
  body?: string,
): Promise<{ status: number; headers: Headers; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: url.port,
        path: url.pathname + url.search,
        method,
        headers: { host: url.host, ...headers },
        ...(address === undefined ? {} : { localAddress: address }),
        agent: false,
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const received = new Headers()
          for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
            received.append(
              incoming.rawHeaders[at] as string,
              incoming.rawHeaders[at + 1] as string,
            )
          }
          resolve({
            status: incoming.statusCode ?? 0,
            headers: received,
            text: Buffer.concat(chunks).toString('utf8'),
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
