/**
 * Generates the manifest of each build. It depends on the browser, and on the kind of build: only a
 * development build has access to loopback. PRIVACY.md gives the reason for each permission.
 */

import type { ManifestV3Export } from '@crxjs/vite-plugin'
import { version } from '../package.json'
import { ANONYMOUS_REQUESTS_FILE } from './background/platform/anonymous-request-rule.ts'
import { CHROMIUM_KEY, GECKO_ID, REDIRECT_BASE } from './identity.ts'

type Manifest = Extract<ManifestV3Export, { manifest_version: number }>

export type Target = keyof typeof REDIRECT_BASE

/** Match patterns of loopback. They have no port, so each of them matches every port. */
export const LOOPBACK_HOSTS = ['http://localhost/*', 'http://*.localhost/*', 'http://127.0.0.1/*']

/** Ordered by purpose: the flow, the records, the sites. */
const PERMISSIONS: Manifest['permissions'] = [
  'identity',
  'webRequest',
  'declarativeNetRequest',
  'storage',
  'alarms',
  'scripting',
  'activeTab',
]

/**
 * What the extension transmits, in Mozilla's words for the user: codes and tokens; the application that the
 * user uses, and with it the site; the calls of that site to the operator's APIs. All of it goes to operators
 * that the user or the browser's policy added, and to no one else.
 *
 * @see https://extensionworkshop.com/documentation/develop/firefox-builtin-data-consent/
 */
const TRANSMITTED_DATA = ['authenticationInfo', 'browsingActivity', 'websiteContent']

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: wss: LOOPBACK",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

export function createManifest(target: Target, development: boolean): Manifest {
  const chromium = target === 'chromium'
  const icons = { 16: 'icons/16.png', 48: 'icons/48.png', 128: 'icons/128.png' }
  return {
    manifest_version: 3,
    name: development ? 'Northkey (development)' : 'Northkey',
    description:
      'Lets web applications use your mobile network with your consent, and keeps the keys.',
    version,
    icons,
    action: {
      default_popup: 'ui/popup/index.html',
      default_icon: icons,
      default_title: 'Northkey',
    },
    background: chromium
      ? { service_worker: 'background/index.ts', type: 'module' }
      : { scripts: ['background/index.ts'], type: 'module' },
    content_scripts: development
      ? [
          {
            matches: LOOPBACK_HOSTS,
            js: ['content/index.iife.ts'],
            run_at: 'document_start',
          },
          {
            matches: LOOPBACK_HOSTS,
            js: ['provider/index.iife.ts'],
            run_at: 'document_start',
            world: 'MAIN',
          },
        ]
      : [],
    permissions: PERMISSIONS,
    optional_host_permissions: ['https://*/*'],
    // A private window would share the grants, and with them the subscriber, with the other windows.
    incognito: 'not_allowed',
    options_ui: { page: 'ui/operators/index.html', open_in_tab: true },
    host_permissions: [`${REDIRECT_BASE[target]}*`, ...(development ? LOOPBACK_HOSTS : [])],
    content_security_policy: {
      extension_pages: CONTENT_SECURITY_POLICY.replace(
        'LOOPBACK',
        development ? 'http: ws:' : '',
      ).trim(),
    },
    ...(chromium
      ? {
          key: CHROMIUM_KEY,
          storage: { managed_schema: 'policy.schema.json' },
          declarative_net_request: {
            rule_resources: [
              { id: 'anonymous-requests', enabled: true, path: ANONYMOUS_REQUESTS_FILE },
            ],
          },
          // First version with `message_serialization`, without which bodies arrive empty.
          minimum_chrome_version: '148',
          externally_connectable: {},
          message_serialization: 'structured_clone',
        }
      : {
          browser_specific_settings: {
            // First versions that show `data_collection_permissions` at the installation.
            gecko: {
              id: GECKO_ID,
              strict_min_version: '140.0',
              data_collection_permissions: { required: TRANSMITTED_DATA },
            },
            gecko_android: { strict_min_version: '142.0' },
          },
        }),
  } as Manifest
}
