/** Constants that the build defines. @see ../vite.config.ts */
declare const __DEVELOPMENT__: boolean
/** Replaced limits of `limits.ts` by name, in a development build. Always `undefined` in a released build. */
declare const __REPLACED_LIMITS__: Readonly<Record<string, number>> | undefined
declare const __TARGET__: 'chromium' | 'firefox'
declare const __VERSION__: string
