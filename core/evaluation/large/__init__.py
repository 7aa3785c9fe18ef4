"""Arrays beyond the cache: blocks, threads and memory that is used again."""
