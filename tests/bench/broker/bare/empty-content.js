// A script in the isolated world of a page, without any work.
