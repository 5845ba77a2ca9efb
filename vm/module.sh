#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds kernel modules from a folder with a Kbuild or Makefile, out of tree.
#
#   module.sh KERNEL_DIR SOURCE_DIR OUT_DIR [-- MAKE_ARGUMENT ...]
#
# Prints the path of each OUT_DIR/NAME.ko. The sources are only read: they are
# built as a copy in the cache, which keeps its objects, so that after a change
# only what changed is compiled again. Unchanged sources are not built at all.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1-} in
-h | --help) usage && exit ;;
esac
(($# >= 3)) || die "module.sh: KERNEL_DIR, SOURCE_DIR and OUT_DIR are needed; see --help"
kernel=$1 sources=$2 out=$3
shift 3
[[ ${1-} != -- ]] || shift
[[ -e $kernel/release ]] || die "$kernel is no folder that kernel.sh made"
[[ -d $sources ]] || die "there is no folder $sources"
[[ -e $sources/Kbuild || -e $sources/Makefile ]] || die "$sources has neither Kbuild nor Makefile"
kernel=$(realpath "$kernel") sources=$(realpath "$sources")
read -r release <"$kernel/release"

# The sources, without what a build in that folder may have left.
manifest() {
	(cd "$sources" && find . -type f ! -path '*/.*' ! -name '*.o' ! -name '*.ko' ! -name '*.mod' \
		! -name '*.mod.c' ! -name '*.a' ! -name modules.order ! -name Module.symvers -print0 |
		LC_ALL=C sort -z | xargs -0 -r sha256sum)
}

key() {
	sha256sum | cut -c1-24
}

modules="$cache_dir/module/$release"
# One copy for each folder, so that it can be built incrementally.
build="$modules/build-$(key <<<"$sources $*")"
listing=$(manifest)
result="$modules/$(printf '%s\n' "$kernel" "$sources" "$*" "$listing" | key)"

build_once() {
	[[ ! -e $result ]] || return 0
	need make make
	local compiler
	# The headers ask for the compiler that built the kernel.
	compiler=$(sed -n 's/^CC = .*\(gcc-[0-9]*\)$/\1/p' "$kernel/build/.kernelvariables")
	compiler=${compiler:-gcc}
	need "$compiler" "$compiler"
	say "building $(basename "$sources") for kernel $release"
	mkdir -p "$build"

	# A file is copied only if it changed, for make looks at its time.
	local name
	touch "$build/.manifest"
	while read -r _ name; do
		mkdir -p "$build/$(dirname "$name")"
		cp --no-preserve=all -T "$sources/$name" "$build/$name"
	done < <(LC_ALL=C comm -13 <(LC_ALL=C sort "$build/.manifest") <(LC_ALL=C sort <<<"$listing"))
	# What left the sources must not be found by an #include any more.
	while read -r _ name; do
		[[ -e $sources/$name ]] || rm -f "${build:?}/$name"
	done <"$build/.manifest"
	# shellcheck disable=SC2094
	printf '%s\n' "$listing" >"$build/.manifest"
	find "$build" -name '*.ko' -delete

	# No BTF: it wants pahole, and nobody in the guest reads it. The map of
	# prefixes makes warnings and debug information name the files that the user
	# edits.
	if ! make -C "$kernel/build" M="$build" -j"$(nproc)" CONFIG_DEBUG_INFO_BTF_MODULES= \
		KCFLAGS="-ffile-prefix-map=$build=$sources" "$@" modules >"$build/.log" 2>&1; then
		sed "s|$build/|$sources/|g" "$build/.log" | grep -vE '^make|^  (CC|LD|MODPOST|AR|AS)' >&2 || true
		die "$sources does not build for kernel $release"
	fi
	sed "s|$build/|$sources/|g" "$build/.log" | grep -E 'warning:|WARNING:' >&2 || true

	local partial="$result.$$"
	mkdir "$partial"
	find "$build" -name '*.ko' -exec cp -t "$partial" {} +
	[[ -n $(ls "$partial") ]] || die "the build of $sources made no .ko; does its Kbuild have obj-m?"
	mv -T "$partial" "$result"
	find "$modules" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
}

if [[ ! -e $result ]]; then
	with_lock "module-$(key <<<"$build")" build_once "$@"
fi
mkdir -p "$out"
for module in "$result"/*.ko; do
	# The time stays the sources': initramfs.sh goes by it.
	cmp -s "$module" "$out/${module##*/}" || cp -p "$module" "$out/"
	echo "$out/${module##*/}"
done
