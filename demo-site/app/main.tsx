/** Starts the page: loads its configuration, creates the store from the client for pages, and renders the app. */

import { type Signal, signal } from '@preact/signals'
import { render } from 'preact'
import { App } from './app.tsx'
import { Defect } from './components/defect.tsx'
import { loadConfig } from './config.ts'
import { findPageBroker } from './find-page-broker.ts'
import { watchDownlink } from './model/downlink.ts'
import { createStore } from './model/store.ts'

async function startPage(root: HTMLElement): Promise<void> {
  try {
    const config = await loadConfig(fetch)
    const store = createStore({
      config,
      findBroker: findPageBroker,
      fetch: (...request) => fetch(...request),
      now: () => performance.now(),
    })
    const downlink = signal<number | undefined>(undefined)
    render(<App store={store} downlink={downlink} />, root)
    if (config.streamUrl) measureWhileVisible(config.streamUrl, downlink)
    await store.discover()
  } catch (error) {
    render(<Defect reason={error instanceof Error ? error.message : 'unknown'} />, root)
  }
}

/** Measures the downlink only while the page is visible. */
function measureWhileVisible(url: string, downlink: Signal<number | undefined>): void {
  let abort: AbortController | undefined
  const restartMeasurement = () => {
    abort?.abort()
    if (document.hidden) return
    abort = new AbortController()
    void watchDownlink({
      url,
      fetch: (...request) => fetch(...request),
      now: () => performance.now(),
      report: (bitsPerSecond) => {
        downlink.value = bitsPerSecond
      },
      signal: abort.signal,
    })
  }
  document.addEventListener('visibilitychange', restartMeasurement)
  restartMeasurement()
}

const root = document.getElementById('app')
if (root) await startPage(root)
