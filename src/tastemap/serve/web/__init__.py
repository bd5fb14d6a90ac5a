"""HTTP and nothing else: routes, requests, pages, cookies, statuses."""
