/**
 * Records the console output of the extension's scripts. Each script of the build gets a wrapper that sends
 * the text to the application. No debugger is attached to the worker, so the worker may stop as usual.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const PATH = '/console'

/** Runs before a script of the extension, in its world. */
function recordConsole(address: string): void {
  const report = (text: string) => {
    void fetch(`${address}?${encodeURIComponent(text)}`, {
      mode: 'no-cors',
      cache: 'no-store',
    }).catch(() => {})
  }
  const textOf = (value: unknown) => {
    if (value instanceof Error) return `${value.stack} ${JSON.stringify(value)}`
    return typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const) {
    const original = console[level]
    console[level] = (...values: unknown[]) => {
      report(values.map(textOf).join(' '))
      original.apply(console, values)
    }
  }
  globalThis.addEventListener('error', ({ message, error }) => report(message + textOf(error)))
  globalThis.addEventListener('unhandledrejection', ({ reason }) => report(textOf(reason)))
  console.info(`the console of ${globalThis.location.href.split(/[?#]/)[0]}`)
}

/** Adds the wrapper to the worker and to the content script of a built extension. */
export async function recordConsoles(extension: string): Promise<void> {
  const [operator] = JSON.parse(await readFile(join(extension, 'demo-operators.json'), 'utf8'))
  const [origin] = operator.applications[0].origins
  const manifest = JSON.parse(await readFile(join(extension, 'manifest.json'), 'utf8'))
  const { service_worker, scripts } = manifest.background
  const [content] = manifest.content_scripts
  const call = `(${recordConsole})(${JSON.stringify(origin + PATH)});`
  for (const name of [service_worker ?? scripts[0], ...content.js]) {
    const path = join(extension, name)
    const script = await readFile(path, 'utf8')
    await writeFile(path, `${call}\n${script}`)
  }
}

/** Returns the console output so far, from the requests that reached the application. */
export function consoleTexts(requests: readonly string[]): string[] {
  const prefix = `GET ${PATH}?`
  return requests
    .filter((line) => line.startsWith(prefix))
    .map((line) => decodeURIComponent(line.slice(prefix.length)))
}
