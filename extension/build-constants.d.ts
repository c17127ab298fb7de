/** What the build sets. @see ../vite.config.ts */
declare const __DEVELOPMENT__: boolean
declare const __TARGET__: 'chromium' | 'firefox'
declare const __VERSION__: string
