"""What people bring from other services: read, matched with the items, and shown before it counts.

A file becomes entries (`files`, `tables`, `documents`), each entry the items that it may be
(`matching`, by the spellings of `titles`), and these a review that a person looks at (`ratings`,
`likes`).
"""
