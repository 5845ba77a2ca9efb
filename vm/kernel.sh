#!/bin/bash
# SPDX-License-Identifier: MIT
# Downloads and unpacks (never installs) a Debian kernel with its headers.
#
#   kernel.sh [--update] [SERIES]      SERIES: 6.1, 6.12, ...; none or "default":
#                                      the distribution's own
#
# Prints the folder, which holds
#   release    the kernel's release, one line
#   vmlinuz    the compressed kernel
#   vmlinux    the same, unpacked: QEMU starts it through its PVH entry, which
#              saves the guest from unpacking it
#   modules    lib/modules/RELEASE, with depmod's files
#   build      the headers: make -C build M=...
#
# A folder that is there is used as it is, without asking apt; --update asks for
# a newer package.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernels="$cache_dir/kernel"

# The kernel that linux-image-amd64 stands for: linux-image-6.1.0-56-amd64.
distribution_package() {
	apt-cache show --no-all-versions linux-image-amd64 2>/dev/null |
		sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p' || true
}

# The image package of a series, or nothing.
series_package() {
	local own
	own=$(distribution_package)
	if [[ -z $1 || $own == "linux-image-$1."* ]]; then
		echo "$own"
		return
	fi
	# cloud and rt flavours have one more part in their name; the bare
	# linux-image-6.12-amd64 is a meta-package.
	apt-cache search --names-only "^linux-image-${1//./\\.}\.[^-]*(-[0-9]+)?-amd64\$" |
		cut -d' ' -f1 | sort -V | tail -n1
}

# What could be named instead.
known_series() {
	local known
	known=$({
		apt-cache search --names-only '^linux-image-[0-9]+\.[0-9]+\.[^-]*(-[0-9]+)?-amd64$' |
			sed -n 's/^linux-image-\([0-9]*\.[0-9]*\)\..*/\1/p'
		find "$kernels" -mindepth 1 -maxdepth 1 -name 'series-[0-9]*' -printf '%f\n' 2>/dev/null |
			sed 's/^series-//'
	} | sort -Vu | xargs)
	if [[ -n $known ]]; then
		echo "name one of $known, or run apt-get update"
	else
		echo "run apt-get update"
	fi
}

# The folders behind a package: its release names all the others.
packages_of() {
	local release=$1
	local headers="linux-headers-$release"
	local wanted
	wanted=$(apt-cache depends --important "$headers" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-\(headers\|kbuild\)-[^ ]*\)$/\1/p')
	[[ -n $wanted ]] || return 1
	echo "linux-image-$release" "$headers" "$wanted" | xargs
}

# Unpacks the kernel proper out of a bzImage. The boot protocol (2.08 and later)
# says where it lies: Documentation/arch/x86/boot.rst, payload_offset.
extract_vmlinux() {
	local image=$1 out=$2
	local sectors offset length start tool
	sectors=$(od -An -tu1 -j 497 -N 1 "$image")
	offset=$(od -An -tu4 -j 584 -N 4 "$image")
	length=$(od -An -tu4 -j 588 -N 4 "$image")
	start=$(((sectors + 1) * 512 + offset))
	case $(od -An -tx1 -j "$start" -N 2 "$image" | tr -d ' ') in
	fd37) tool=xz ;;
	28b5) tool=zstd ;;
	1f8b) tool=gzip ;;
	*) return 1 ;;
	esac
	command -v $tool >/dev/null || return 1
	# The last four bytes are the unpacked size, no part of the stream.
	# dd's iflag counts bytes: no block of one byte at a time.
	dd if="$image" iflag=skip_bytes,count_bytes skip="$start" count=$((length - 4)) \
		bs=1M status=none | $tool -dc >"$out" 2>/dev/null && [[ -s $out ]]
}

# Names inside the unpacked tree that say /usr/... mean the tree itself.
relocate() {
	local root=$1 link target
	find "$root" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
		target=$(readlink "$link")
		ln -sfn "$(realpath -sm --relative-to="$(dirname "$link")" "$root$target")" "$link"
	done
}

fetch() {
	local series=$1
	need apt-get apt apt-cache apt dpkg-deb dpkg depmod kmod xz xz-utils
	local image
	image=$(series_package "$series")
	[[ -n $image ]] ||
		die "apt knows no kernel package${series:+ of series $series}; $(known_series)"
	local release=${image#linux-image-}
	local folder="$kernels/$release"
	if [[ ! -e $folder/release ]]; then
		unpack "$release" "$folder"
	fi
	# A relative link: the cache may be moved. Written beside and renamed, so
	# that nobody ever sees it missing.
	ln -sfn "$release" "$kernels/.link.$$"
	mv -T "$kernels/.link.$$" "$kernels/series-${series:-default}"
}

unpack() {
	local release=$1 folder=$2
	local packages
	packages=$(packages_of "$release") ||
		die "apt knows no headers for kernel $release; run apt-get update and try again"
	mkdir -p "$kernels"
	# What a killed run left. Others cannot be at it: we hold the lock.
	rm -rf "$kernels"/.unpack.*
	local work
	work=$(mktemp -d "$kernels/.unpack.XXXXXX")
	trap 'rm -rf "$work"' EXIT

	say "kernel $release: downloading $(wc -w <<<"$packages") packages"
	# apt drops to the user _apt, which may not write here: a warning only.
	# shellcheck disable=SC2086
	(cd "$work" && apt-get -q download $packages) >"$work/log" 2>&1 ||
		die "apt could not download kernel $release: $(grep -m1 '^E:' "$work/log" || tail -n1 "$work/log"); check the network, run apt-get update and try again"

	local package root="$work/root"
	mkdir "$root"
	for package in "$work"/*.deb; do
		say "kernel $release: unpacking $(basename "$package" | cut -d_ -f1)"
		dpkg-deb -x "$package" "$root" || die "cannot unpack $package (is the disk full?)"
		rm "$package"
	done
	[[ -e $root/lib/modules ]] || ln -s usr/lib "$root/lib"
	relocate "$root"
	# The headers' Makefile includes the common one by its installed name; from
	# its own place it works wherever the cache lies.
	# shellcheck disable=SC2016
	sed -i 's|^include /usr/src/|include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' \
		"$root/usr/src/linux-headers-$release/Makefile"
	depmod -b "$root" "$release" || die "depmod failed for kernel $release"

	ln -s "boot/vmlinuz-$release" "$root/vmlinuz"
	ln -s "lib/modules/$release" "$root/modules"
	ln -s "usr/src/linux-headers-$release" "$root/build"
	extract_vmlinux "$root/vmlinuz" "$root/vmlinux" || rm -f "$root/vmlinux"
	echo "$release" >"$root/release"
	mv -T "$root" "$folder"
	rm -rf "$work"
	trap - EXIT
}

update=
while (($# > 0)); do
	case $1 in
	--update) update=1 ;;
	-h | --help) usage && exit ;;
	-*) die "kernel.sh: unknown option $1; see --help" ;;
	*) break ;;
	esac
	shift
done
series=${1-}
[[ $series != default ]] || series=
[[ $series =~ ^([0-9]+\.[0-9]+)?$ ]] || die "'$series' is no kernel series; give one like 6.1 or 6.12"

found() {
	[[ -e $kernels/series-${series:-default}/release ]]
}
fetch_once() {
	# Another start may have done it while we waited for the lock.
	if [[ -n $update ]] || ! found; then
		fetch "$series"
	fi
}
if [[ -n $update ]] || ! found; then
	with_lock kernel fetch_once
fi
read -r release <"$kernels/series-${series:-default}/release"
echo "$kernels/$release"
