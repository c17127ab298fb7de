/** Stands for a content script, where a test has no bundler that makes a file of it. */
export default 'script.js'
