// For a floor that has no source yet.
