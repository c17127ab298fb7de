/**
 * As much of a browser as the background's modules need to run in Node. A test imports it before
 * them and mocks `webextension-polyfill` with it. Each file has its own.
 */

Object.assign(globalThis, { __DEVELOPMENT__: true, __TARGET__: 'chromium', __VERSION__: '0.0.0' })

const nothing = async () => {}
const event = () => ({ addListener: () => {}, removeListener: () => {} })

function area() {
  let items: Record<string, unknown> = {}
  return {
    get: async (name: string) => (name in items ? { [name]: structuredClone(items[name]) } : {}),
    async set(more: Record<string, unknown>) {
      // Later than the caller goes on, as in a browser.
      await new Promise((resolve) => setTimeout(resolve))
      items = { ...items, ...structuredClone(more) }
    },
    async remove(name: string) {
      const { [name]: _, ...rest } = items
      items = rest
    },
    async clear() {
      items = {}
    },
  }
}

type ChangeListener = (changes: object, area: string) => void
const changeListeners = new Set<ChangeListener>()

/** Events that pages heard. */
export const told: { event: string; payload: unknown }[] = []
/** When the alarm is set to ring. */
export const alarm: { when: number | undefined } = { when: undefined }
/** A page that was there before. */
export const page = { id: 1, url: 'https://app.example/' }
/** Tabs that are open, those that the broker closed, and those that the user does not see. */
export const seen = {
  tabs: [page] as { id: number; url: string; status?: 'loading' }[],
  closed: [] as number[],
  hidden: [] as number[],
}
export const storage = {
  session: area(),
  local: area(),
  managed: area(),
  onChanged: {
    addListener: (listener: ChangeListener) => void changeListeners.add(listener),
    removeListener: (listener: ChangeListener) => void changeListeners.delete(listener),
  },
}

/** Reports to the background that the policy has changed. */
export function reportPolicyChange(): void {
  for (const listener of changeListeners) listener({}, 'managed')
}

type UpdateListener = (tabId: number, changes: { url?: string }) => void
/** Listeners for changes of tabs. */
export const updateListeners = new Set<UpdateListener>()

/** Shows another address in a tab, and reports it to the background. */
export function showInTab(tabId: number, url: string): void {
  find(tabId).url = url
  for (const listener of updateListeners) listener(tabId, { url })
}

interface Rule {
  id: number
  condition: { tabIds?: number[]; initiatorDomains?: string[]; resourceTypes: string[] }
}
interface RuleChange {
  removeRuleIds: number[]
  addRules: Rule[]
}

/** Rules that the broker gave the browser. */
export const rules = { session: [] as Rule[], dynamic: [] as Rule[] }

const changeRules =
  (kind: keyof typeof rules) =>
  async ({ removeRuleIds, addRules }: RuleChange) => {
    // Later than the caller goes on, as in a browser.
    await new Promise((resolve) => setImmediate(resolve))
    const kept = rules[kind].filter(({ id }) => !removeRuleIds.includes(id))
    rules[kind] = [...kept, ...structuredClone(addRules)]
  }

let lastTab = 100

function openTab({ url = 'about:blank' }: { url?: string }) {
  lastTab += 1
  const tab = { id: lastTab, url }
  seen.tabs.push(tab)
  return { ...tab, status: 'complete' }
}

function find(id: number) {
  const tab = seen.tabs.find((candidate) => candidate.id === id)
  if (!tab) throw new Error('no such tab')
  return tab
}

export default {
  runtime: {
    id: 'northkey',
    getManifest: (): { host_permissions?: string[] } => ({}),
    getURL: (path: string) => `chrome-extension://northkey/${path}`,
    onConnect: event(),
    sendMessage: nothing,
    onMessage: event(),
    onStartup: event(),
    onInstalled: event(),
  },
  storage,
  alarms: {
    onAlarm: event(),
    async get() {
      const { when } = alarm
      await new Promise((resolve) => setTimeout(resolve))
      return when === undefined ? undefined : { scheduledTime: when }
    },
    create(_: string, { when }: { when: number }) {
      alarm.when = when
    },
  },
  identity: { getRedirectURL: () => 'https://nkcaacnhigngakebhebaldnbghooogac.chromiumapp.org/' },
  tabs: {
    TAB_ID_NONE: -1,
    onRemoved: event(),
    onUpdated: {
      addListener: (listener: UpdateListener) => void updateListeners.add(listener),
      removeListener: (listener: UpdateListener) => void updateListeners.delete(listener),
    },
    query: async () => seen.tabs.map((tab) => ({ ...tab, status: 'complete' })),
    get: async (id: number) => ({
      status: 'complete',
      // The page stays open, also in a test that lists the broker's own windows only.
      ...(id === page.id ? page : find(id)),
      active: !seen.hidden.includes(id),
      windowId: 1,
    }),
    create: async (options: { url?: string }) => openTab(options),
    async update(id: number, { url }: { url?: string }) {
      find(id).url = url ?? find(id).url
    },
    async remove(id: number) {
      seen.closed.push(id)
      seen.tabs = seen.tabs.filter((tab) => tab.id !== id)
    },
    async sendMessage(_: number, message: { event: string; payload: unknown }) {
      told.push(message)
    },
  },
  windows: {
    create: async (options: { url?: string }) => ({ tabs: [openTab(options)] }),
    get: async () => ({ state: 'normal', type: 'normal' }),
    update: nothing,
  },
  permissions: {
    contains: async (_: { origins: string[] }) => true,
    getAll: async () => ({ origins: [] as string[] }),
    remove: async (_: { origins: string[] }) => true,
    onAdded: event(),
    onRemoved: event(),
  },
  scripting: {
    getRegisteredContentScripts: async () => [],
    registerContentScripts: nothing,
    unregisterContentScripts: nothing,
    executeScript: nothing,
  },
  webRequest: { onBeforeRequest: event() },
  declarativeNetRequest: {
    getSessionRules: async () => structuredClone(rules.session),
    getDynamicRules: async () => structuredClone(rules.dynamic),
    updateSessionRules: changeRules('session'),
    updateDynamicRules: changeRules('dynamic'),
  },
}
