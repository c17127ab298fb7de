/**
 * Keeps the arrows of ARCHITECTURE.md: which folder may import from which. Part of `npm run lint`. Type
 * imports count like all others. dependency-cruiser reads TypeScript with TypeScript 6, which
 * package.json installs beside 7 for it: 7 has no parser that it can use.
 */

/** Folders of `extension/background`, from top to bottom. A folder imports from those below it. */
const BACKGROUND_LAYERS = [
  'screens',
  'lifecycle',
  'page',
  'methods',
  'api-calls',
  'tokens',
  'authorization',
  'grants',
  'clients',
  'sites',
  'operators',
  'platform',
]

/** Folders of `shared`, likewise. */
const SHARED_LAYERS = ['page', 'core', 'profiles', 'oauth', 'messages']

/** One rule for each layer: nothing above it is imported. */
const pointDown = (name, comment, root, layers) =>
  layers.slice(1).map((layer, index) => ({
    name,
    comment,
    severity: 'error',
    from: { path: `^${root}/${layer}/` },
    to: { path: `^${root}/(?:${layers.slice(0, index + 1).join('|')})/` },
  }))

const SCRIPT_REGISTRATION = '^extension/background/sites/content-script-registration\\.ts$'
/** Values that every context of the extension has to know. */
const COMMON_VALUES = '^extension/(?:identity|limits)\\.ts$'
const IDENTITY = '^extension/identity\\.ts$'

const forbidden = [
  {
    name: 'no-circular',
    comment: 'Files that import each other in a circle cannot be understood or loaded one by one.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  ...pointDown(
    'background-layers-point-down',
    'A folder of the background imports from folders below it.',
    'extension/background',
    BACKGROUND_LAYERS,
  ),
  {
    name: 'background-layers-point-down',
    comment: 'Listeners stand at the top: no layer imports them.',
    severity: 'error',
    from: { path: '^extension/background/' },
    to: { path: '^extension/background/[^/]+$' },
  },
  {
    name: 'background-files-have-a-layer',
    comment:
      'Beside index.ts each file of the background lies in a folder that has a place in the order.',
    severity: 'error',
    from: {},
    to: { path: `^extension/background/(?!index\\.ts$|(?:${BACKGROUND_LAYERS.join('|')})/)` },
  },
  {
    name: 'contexts-meet-in-shared-messages',
    comment:
      'Provider, content script, background and screens run apart. They share types of messages.',
    severity: 'error',
    from: {
      path: '^extension/(provider|content|background|ui)/',
      pathNot: SCRIPT_REGISTRATION,
    },
    to: { path: '^extension/', pathNot: ['^extension/$1/', COMMON_VALUES] },
  },
  {
    name: 'contexts-meet-in-shared-messages',
    comment: 'The registration of scripts imports the names of their files, and no code.',
    severity: 'error',
    from: { path: SCRIPT_REGISTRATION },
    to: {
      path: '^extension/',
      pathNot: [
        '^extension/background/',
        '^extension/(?:provider|content)/index\\.iife\\.ts$',
        COMMON_VALUES,
      ],
    },
  },
  {
    name: 'contexts-meet-in-shared-messages',
    comment:
      'Of the shared code, screens need the types of messages. The core is for the background.',
    severity: 'error',
    from: { path: '^extension/ui/' },
    to: { path: '^shared/', pathNot: '^shared/messages/' },
  },
  {
    name: 'provider-imports-shared-messages-only',
    comment: 'What runs beside a page, or in it, stays small: no package, no core.',
    severity: 'error',
    from: { path: '^extension/(provider|content)/' },
    to: {
      path: '^(?:extension|shared|demo-site)/',
      pathNot: ['^extension/$1/', '^shared/messages/', COMMON_VALUES],
    },
  },
  {
    name: 'provider-imports-shared-messages-only',
    comment: 'The types of a package weigh nothing: they may be imported.',
    severity: 'error',
    from: { path: '^extension/(?:provider|content)/' },
    to: {
      dependencyTypes: ['npm', 'npm-dev', 'core'],
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'extension-imports-no-demo-site',
    severity: 'error',
    from: { path: '^extension/' },
    to: { path: '^demo-site/' },
  },
  ...pointDown(
    'shared-layers-point-down',
    'The core uses profiles, profiles use the protocol, and all may use the types of messages.',
    'shared',
    SHARED_LAYERS,
  ),
  {
    name: 'shared-layers-point-down',
    comment: 'The client for pages is small: of the shared code it has the types of messages.',
    severity: 'error',
    from: { path: '^shared/page/' },
    to: { pathNot: ['^shared/page/', '^shared/messages/'] },
  },
  {
    name: 'shared-layers-point-down',
    comment: 'The protocol knows neither pages nor operators’ profiles.',
    severity: 'error',
    from: { path: '^shared/oauth/' },
    to: { path: '^shared/messages/' },
  },
  {
    name: 'shared-imports-shared-only',
    severity: 'error',
    from: { path: '^shared/' },
    to: { path: '^(?:extension|demo-site|scripts|tests)/' },
  },
  {
    name: 'shared-has-no-browser-api',
    comment: 'Shared code runs anywhere: no API of extensions, none of Node.',
    severity: 'error',
    from: { path: '^shared/(?:page|core|profiles|oauth|messages)/' },
    to: { path: '/webextension-polyfill/' },
  },
  {
    name: 'shared-has-no-browser-api',
    severity: 'error',
    from: { path: '^shared/(?:page|core|profiles|oauth|messages)/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'demo-site-app-is-a-page-like-any-other',
    comment: 'It knows the contract with pages and the client for pages; no code of the extension.',
    severity: 'error',
    from: { path: '^demo-site/app/' },
    to: {
      path: '^(?:extension|shared|demo-site)/',
      pathNot: ['^demo-site/app/', '^shared/(?:messages|page)/'],
    },
  },
  {
    name: 'demo-site-network-is-another-party',
    comment:
      'Servers share no code with the client that they check: only the format of operator profiles, ' +
      'and the redirect URIs under which the broker is registered.',
    severity: 'error',
    from: { path: '^demo-site/network/' },
    to: {
      path: '^(?:extension|shared|demo-site)/',
      pathNot: [
        '^demo-site/network/',
        '^shared/messages/',
        '^shared/core/(?:redirect-uri|base64url)\\.ts$',
        IDENTITY,
      ],
    },
  },
  {
    name: 'demo-site-network-is-another-party',
    severity: 'error',
    from: { path: '^demo-site/server/' },
    to: { path: '^(?:extension|shared)/' },
  },
  {
    name: 'tests-are-not-imported',
    severity: 'error',
    from: { pathNot: '^tests/' },
    to: { path: '^tests/' },
  },
  {
    name: 'tests-are-not-imported',
    comment: 'No test file is imported, not by tests either: what they share is in support files.',
    severity: 'error',
    from: {},
    to: { path: '\\.test\\.tsx?$' },
  },
  {
    name: 'scripts-are-not-imported',
    comment: 'Tools use the product, not the other way round.',
    severity: 'error',
    from: { path: '^(?:extension|shared|demo-site)/' },
    to: { path: '^scripts/' },
  },
]

export default {
  forbidden,
  options: {
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:dist|node_modules/\\.cache)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
