#!/bin/bash
# The window, driven as a person would under Xvfb, by the names of its rectangles.
for tool in Xvfb xdotool python3; do
  command -v "$tool" >/dev/null || { echo "1..0 # skip $tool is not installed"; exit 77; }
done
exec python3 "$(dirname "$0")/window_cases.py" "$@"
