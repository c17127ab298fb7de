/**
 * Finds the browsers of this machine, installs missing ones where that is possible (Debian, as root), and opens
 * them with the extension in a temporary profile.
 */

import { execFile, spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import puppeteer, { type Browser } from 'puppeteer-core'

export type BrowserName = 'chromium' | 'firefox'

interface BrowserKind {
  /** Commands on the PATH, in order of preference. */
  commands: string[]
  /** Installation paths of macOS and Windows. */
  paths: string[]
  /** Name of the Debian package. */
  package: string
  /** Environment variable with the path of another executable. */
  variable: string
}

const programFiles = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)']].filter(
  (folder) => folder !== undefined,
)

const BROWSER_KINDS: Record<BrowserName, BrowserKind> = {
  chromium: {
    commands: [
      'chromium',
      'chromium-browser',
      'google-chrome',
      'google-chrome-stable',
      'microsoft-edge',
      'microsoft-edge-stable',
    ],
    paths: [
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
      ...programFiles.flatMap((folder) => [
        join(folder, 'Google/Chrome/Application/chrome.exe'),
        join(folder, 'Microsoft/Edge/Application/msedge.exe'),
      ]),
    ],
    package: 'chromium',
    variable: 'NORTHKEY_CHROMIUM',
  },
  firefox: {
    commands: ['firefox-esr', 'firefox'],
    paths: [
      '/Applications/Firefox.app/Contents/MacOS/firefox',
      ...programFiles.map((folder) => join(folder, 'Mozilla Firefox/firefox.exe')),
    ],
    package: 'firefox-esr',
    variable: 'NORTHKEY_FIREFOX',
  },
}

async function findFirstExecutable(candidates: string[]): Promise<string | undefined> {
  for (const candidate of candidates) {
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return candidate
  }
  return undefined
}

/** Returns the path of a browser, or `undefined` when none is installed. */
export function findBrowser(name: BrowserName): Promise<string | undefined> {
  const { commands, paths, variable } = BROWSER_KINDS[name]
  const configuredPath = process.env[variable]
  const folders = (process.env.PATH ?? '').split(delimiter)
  const onPath = commands.flatMap((command) => folders.map((folder) => join(folder, command)))
  return findFirstExecutable(configuredPath ? [configuredPath] : [...onPath, ...paths])
}

function runCommand(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args[0]}: ended with code ${code}`))
    })
  })
}

/**
 * Installs the browsers that are missing.
 *
 * @throws Error that names the missing packages and the command that installs them.
 */
export async function ensureBrowsers(
  names: BrowserName[],
  report: (line: string) => void = console.error,
): Promise<void> {
  const missing = []
  for (const name of names)
    if (!(await findBrowser(name))) missing.push(BROWSER_KINDS[name].package)
  if (missing.length === 0) return
  const command = `apt-get install -y ${missing.join(' ')}`
  const debian = await findFirstExecutable(['/usr/bin/apt-get'])
  if (!debian || process.getuid?.() !== 0) {
    throw new Error(
      `missing: ${missing.join(', ')}. Install with "sudo ${command}", or the like on your system, ` +
        `or name the program in ${names.map((name) => BROWSER_KINDS[name].variable).join(' or ')}.`,
    )
  }
  report(`Installing ${missing.join(' and ')} …`)
  await runCommand(debian, ['update', '-qq'])
  await runCommand(debian, ['install', '-y', '-qq', '--no-install-recommends', ...missing])
}

/** Returns the version that the browser prints, for instance `Chromium 156.0`. */
export async function browserVersion(name: BrowserName): Promise<string> {
  const path = await findBrowser(name)
  if (!path) throw new Error(`${name}: not found`)
  return new Promise((resolve, reject) => {
    execFile(path, ['--version'], (error, stdout) =>
      error ? reject(error) : resolve(stdout.trim()),
    )
  })
}

export interface OpenOptions {
  /** Folder of a built extension. */
  extension?: string
  headless?: boolean
  /** Profile folder, which is kept. Default: a temporary profile. */
  profile?: string
  /** `host:port` of an HTTP proxy for everything beyond loopback. */
  proxy?: string
  /** Accepts self-signed certificates, for test servers. */
  acceptInsecureCerts?: boolean
  args?: string[]
  /** Preferences of Firefox. */
  preferences?: Record<string, boolean | number | string>
}

function createFirefoxProxyPreferences(proxy: string): Record<string, string | number> {
  const [host = '', port] = proxy.split(':')
  return {
    'network.proxy.type': 1,
    'network.proxy.http': host,
    'network.proxy.http_port': Number(port),
    'network.proxy.ssl': host,
    'network.proxy.ssl_port': Number(port),
  }
}

/** Opens a browser without background requests of its own. */
export async function openBrowser(name: BrowserName, options: OpenOptions = {}): Promise<Browser> {
  const executablePath = await findBrowser(name)
  if (!executablePath) throw new Error(`${name}: not found`)
  const { extension, headless = true, profile, proxy, args = [] } = options
  const { acceptInsecureCerts = false, preferences } = options
  const common = {
    executablePath,
    headless,
    defaultViewport: null,
    handleSIGINT: false,
    acceptInsecureCerts,
    ...(profile ? { userDataDir: profile } : {}),
  }
  if (name === 'chromium') {
    return puppeteer.launch({
      ...common,
      browser: 'chrome',
      pipe: true,
      enableExtensions: extension ? [extension] : true,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--window-size=1280,860',
        ...(proxy ? [`--proxy-server=${proxy}`] : []),
        ...args,
      ],
    })
  }
  const browser = await puppeteer.launch({
    ...common,
    browser: 'firefox',
    // Tests drive the pages of the broker too; Firefox exposes extension pages to WebDriver only with this flag.
    args: ['-remote-allow-system-access', '--width=1280', '--height=860', ...args],
    extraPrefsFirefox: { ...preferences, ...(proxy && createFirefoxProxyPreferences(proxy)) },
  })
  if (extension) await browser.installExtension(extension)
  return browser
}
