/** Starts the page: reads its configuration, makes the store from the client for pages, mounts the app. */

import { render } from 'preact'
import { App } from './app.tsx'
import { Defect } from './components/defect.tsx'
import { loadConfig } from './config.ts'
import { findPageBroker } from './find-page-broker.ts'
import { createStore } from './model/store.ts'

async function start(root: HTMLElement): Promise<void> {
  try {
    const config = await loadConfig(fetch)
    const store = createStore({
      config,
      findBroker: findPageBroker,
      fetch: (...request) => fetch(...request),
      now: () => performance.now(),
    })
    render(<App store={store} />, root)
    await store.discover()
  } catch (error) {
    render(<Defect reason={error instanceof Error ? error.message : 'unknown'} />, root)
  }
}

const root = document.getElementById('app')
if (root) await start(root)
