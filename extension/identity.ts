/**
 * Defines the identity of the extension in each browser: its id and its redirect URIs. The ids are fixed,
 * so the redirect URIs are fixed too, and an operator registers them once. A build of your own with another
 * id changes them here.
 */

/** Public key of the Chromium extension; the id is derived from it. */
export const CHROMIUM_KEY =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA308ZgifXZzHy2g68cnRkIGqTvdN7A0HYvDudJUXCFoSD5yT9Gt9kbBA8PIogp7otGXhs6jUxYnYOUIkWzbjqu4y985UJlOXk3lVPpt37DSnbGz6ZD4ViIJOCC0sYK7ABhwsaeFga99aAYYcxhOe9ZTYgpy15NOw6/WeXX8+yGl61uxFBHzuuIlpY8+zFF69ocm8fhmtxtWwDSejhihNBi6SVTTxASQh8kzgsGKktcNKKLVVbUJeJ8eqBLtLwH0RTXvwL13DqdYVIaAV28W7P/1bt+gNxdwlAiI8PNPf8l4/JPVB/PnBbAYiqwN5q6l/1QIbviF/EiTKcDOAhuN73mQIDAQAB'
export const CHROMIUM_ID = 'nkcaacnhigngakebhebaldnbghooogac'
export const GECKO_ID = 'broker@northkey.example'

/** Return value of `identity.getRedirectURL()`, where that exists. No site can run on these hosts. */
export const REDIRECT_BASE = {
  chromium: `https://${CHROMIUM_ID}.chromiumapp.org/`,
  /** The host contains the SHA-1 of the add-on id. */
  firefox: 'https://83f425f2377c3d66489666a028ecfaceffcf6e28.extensions.allizom.org/',
} as const
