// A script in the world of a page, without any work.
