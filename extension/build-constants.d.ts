/** What the build sets. @see ../vite.config.ts */
declare const __DEVELOPMENT__: boolean
/** Limits of limits.ts that a development build replaces, by name. Always `undefined` in a released build. */
declare const __REPLACED_LIMITS__: Readonly<Record<string, number>> | undefined
declare const __TARGET__: 'chromium' | 'firefox'
declare const __VERSION__: string
