"""What several layers need and is not about ratings: files, memory, progress, optional packages."""
