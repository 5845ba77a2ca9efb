# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by the scripts beside it: messages, the cache folder, atomic results.

set -euo pipefail

# shellcheck disable=SC2034 # for those who source this
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache_dir="${XDG_CACHE_HOME:-${HOME:?"HOME is not set; set it or XDG_CACHE_HOME"}/.cache}/pcilens"

# Debian keeps depmod, modinfo and friends in sbin, which is not in a user's PATH.
PATH="$PATH:/usr/sbin:/sbin"

# Results go to stdout, so everything a person reads goes to stderr.
say() {
	printf 'vm: %s\n' "$*" >&2
}

# Exit code 2 is "cannot" for every pcilens command.
die() {
	printf 'vm: %s\n' "$*" >&2
	exit 2
}

# need PROGRAM PACKAGE ...: one clear sentence instead of "command not found".
need() {
	while (($# > 0)); do
		command -v "$1" >/dev/null ||
			die "$1 is missing; install it with: apt-get install $2"
		shift 2
	done
}

# Runs "$@" while this script holds a lock, so that two starts at the same time
# do the long work once. The lock goes away with the process, however it ends.
with_lock() {
	local lock="$cache_dir/$1.lock"
	shift
	mkdir -p "$(dirname "$lock")"
	local fd
	exec {fd}>"$lock"
	flock "$fd"
	"$@"
	exec {fd}>&-
}

# --help is the comment at the top of the script.
usage() {
	sed -n '3,/^$/s/^# \{0,1\}//p' "$0"
}
