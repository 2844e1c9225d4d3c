"""From frames to people: sources, detection, tracking, reconstruction. Threads, but no widgets and no Qt."""
